namespace ProcessPool.Telemetry;

/// <summary>What measurements and spans are labelled with: OpenTelemetry's names, and ours where it has none. Those of the sandbox's own span are in the binder.</summary>
internal static class AttributeNames
{
    public const string Pool = "processpool.pool.name";
    public const string ErrorType = "error.type";
    public const string Method = "rpc.method";
    public const string ProcessId = "process.pid";
    public const string ExitCode = "process.exit.code";
    public const string ExitReason = "processpool.worker.exit.reason";
    public const string RetryReason = "processpool.retry.reason";
    public const string System = "rpc.system.name";
    public const string JsonRpc = "jsonrpc";
    public const string Worker = "processpool.worker.name";
    public const string WorkerState = "processpool.worker.state";
    public const string ExitSignal = "processpool.worker.exit.signal";
}
