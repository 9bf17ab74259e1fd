using ProcessPool.Protocol;

namespace ProcessPool.Sandbox.Serving;

/// <summary>What the plugin sees of its sandbox.</summary>
internal sealed class PluginContext(InitializeRequest request, HostNotices notices, HostCalls calls, Func<Type, object> hostService, CancellationToken stopping) : IPluginContext
{
    public string PoolName => request.PoolName;

    public string WorkerName => request.WorkerName;

    public int WorkerIndex => request.WorkerIndex;

    public string PluginDirectory { get; } = Path.GetDirectoryName(request.EntryAssembly)!;

    public string ScratchDirectory => request.ScratchDirectory;

    public IReadOnlyDictionary<string, string> Settings { get; } = (request.Settings ?? []).AsReadOnly();

    public CancellationToken Stopping => stopping;

    public T GetHostService<T>()
        where T : class => (T)hostService(typeof(T));

    public void Log(PluginLogLevel level, string message, Exception? exception = null, string? category = null) =>
        Log(new PluginLogRecord(level, message) { Exception = exception, Category = category });

    public void Log(PluginLogRecord entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        notices.Log(LogEntry.Of(entry, calls.CurrentCall));
    }

    public void ReportStage(string stage) => notices.Stage(stage);
}
