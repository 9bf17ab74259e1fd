using Microsoft.Extensions.Hosting;

namespace ProcessPool.Hosting;

/// <summary>Starts a catalog with the host, and stops it when what was added after it has stopped.</summary>
/// <param name="catalog">Finds it. Not before the host starts: all options are checked first, and everything that is wrong with them is said together.</param>
internal sealed class CatalogLife(Func<PluginCatalog> catalog) : IHostedService
{
    private bool _hostStarted;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _hostStarted = true;
        return catalog().StartAsync(cancellationToken);
    }

    // A host whose options are wrong stops what it never started.
    public Task StopAsync(CancellationToken cancellationToken) => _hostStarted ? catalog().StopAsync(drain: true, cancellationToken) : Task.CompletedTask;
}
