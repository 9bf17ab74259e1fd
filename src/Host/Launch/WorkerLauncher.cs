using ProcessPool.Protocol;
using ProcessPool.Workers;

namespace ProcessPool.Launch;

/// <summary>Starts real workers: a sandbox in its own process, or in this one in debug mode, and the handshake with it.</summary>
/// <exception cref="PluginLoadException">The plugin cannot run here.</exception>
internal sealed class WorkerLauncher(PoolSettings settings, string poolName, PluginInfo plugin) : IWorkerLauncher
{
    private readonly WorkerRuntime _runtime = WorkerRuntime.For(plugin, settings.Debug, new FaultSite(poolName));

    // Of the caller who starts the pool: the slots, which run this, do not flow from it.
    private readonly int _depth = PoolDepth.Current + 1;

    public async Task<IWorker> StartAsync(int index, Action<IWorker> begins, CancellationToken cancellationToken)
    {
        var name = WorkerName.Of(poolName, index);
        ISandbox sandbox = settings.Debug
            ? InProcessSandbox.Start(settings, poolName, name, _depth)
            : await ProcessSandbox.StartAsync(settings, _runtime, poolName, name, index, _depth, plugin.EntryAssembly).ConfigureAwait(false);
        var request = new InitializeRequest(WireLimits.ProtocolVersion, poolName, name, index, plugin.EntryAssembly, settings.MaxMessageBytes, sandbox.ScratchDirectory, new Dictionary<string, string>(settings.PluginSettings));
        return await SandboxWorker.StartAsync(sandbox, request, settings, begins, cancellationToken).ConfigureAwait(false);
    }
}
