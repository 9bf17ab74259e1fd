using Microsoft.Extensions.Hosting;

namespace ProcessPool.Hosting;

/// <summary>Starts a pool with the host, and stops it when what was added after it has stopped.</summary>
/// <param name="pool">Finds it. Not before the host starts: all options are checked first, and everything that is wrong with them is said together.</param>
/// <param name="options">Finds out how.</param>
internal sealed class PoolLife(Func<SandboxPool> pool, Func<PoolLifeOptions> options) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => options().StartWithHost ? pool().StartAsync(cancellationToken) : Task.CompletedTask;

    // The host's token ends the draining, and nothing is left running.
    public Task StopAsync(CancellationToken cancellationToken) => pool().StopAsync(drain: true, options().DrainTimeout, cancellationToken);
}
