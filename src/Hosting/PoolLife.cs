using Microsoft.Extensions.Hosting;

namespace ProcessPool.Hosting;

/// <summary>Starts a pool with the host, and stops it when what was added after it has stopped.</summary>
/// <param name="pool">Finds it. Not before the host starts: all options are checked first, and everything that is wrong with them is said together.</param>
/// <param name="options">Finds out how.</param>
internal sealed class PoolLife(Func<SandboxPool> pool, Func<PoolLifeOptions> options) : IHostedService
{
    private bool _hostStarted;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _hostStarted = true;
        return options().StartWithHost ? pool().StartAsync(cancellationToken) : Task.CompletedTask;
    }

    // The host's token ends the draining, and nothing is left running. A host whose options are wrong stops what it never started.
    public Task StopAsync(CancellationToken cancellationToken) => _hostStarted ? pool().StopAsync(drain: true, options().DrainTimeout, cancellationToken) : Task.CompletedTask;
}
