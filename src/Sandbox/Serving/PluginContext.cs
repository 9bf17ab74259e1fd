using ProcessPool.Protocol;

namespace ProcessPool.Sandbox.Serving;

/// <summary>What the plugin sees of its sandbox.</summary>
internal sealed class PluginContext(InitializeRequest request, CancellationToken stopping) : IPluginContext
{
    public string PoolName => request.PoolName;

    public string WorkerName => request.WorkerName;

    public int WorkerIndex => request.WorkerIndex;

    public string PluginDirectory { get; } = Path.GetDirectoryName(request.EntryAssembly)!;

    public CancellationToken Stopping => stopping;
}
