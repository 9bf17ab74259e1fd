namespace ProcessPool.Cli.Output;

/// <summary>The word for an error in output lines.</summary>
internal static class ErrorKind
{
    public static string Of(Exception error) => error switch
    {
        PluginCallException => "plugin",
        CallArgumentException => "argument",
        WorkerCrashedException { Reason: CrashReason.ProtocolViolation } => "protocol",
        WorkerCrashedException => "crash",
        CallTimeoutException => "timeout",
        OperationCanceledException => "cancelled",
        CallRejectedException => "rejected",
        PluginLoadException => "load",
        WorkerStartException => "start",
        ConfinementException => "confinement",
        InvalidOperationException => "argument",
        _ => "internal",
    };
}
