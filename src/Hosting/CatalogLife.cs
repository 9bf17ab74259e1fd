using Microsoft.Extensions.Hosting;

namespace ProcessPool.Hosting;

/// <summary>Starts a catalog with the host, and stops it when what was added after it has stopped.</summary>
internal sealed class CatalogLife(PluginCatalog catalog) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => catalog.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => catalog.StopAsync(drain: true, cancellationToken);
}
