namespace ProcessPool.Telemetry;

/// <summary>What measurements and spans are labelled with: OpenTelemetry's names, and ours where it has none.</summary>
internal static class AttributeNames
{
    public const string Pool = "processpool.pool.name";
    public const string ErrorType = "error.type";
    public const string Method = "rpc.method";
    public const string ProcessId = "process.pid";
    public const string ExitCode = "process.exit.code";
    public const string ExitSignal = "processpool.worker.exit.signal";
}
