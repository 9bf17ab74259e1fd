using ProcessPool.Protocol;

namespace ProcessPool.Telemetry;

/// <summary>The word for an error, in metrics, spans and output lines. There are few of them, and none is a plugin's choice.</summary>
internal static class ErrorType
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
        _ => "internal",
    };

    /// <summary>Of a call that was answered; null when it succeeded.</summary>
    public static string? OfStatus(CallStatus status) => status switch
    {
        CallStatus.PluginThrew => "plugin",
        CallStatus.ArgumentsRefused or CallStatus.ResultRefused => "argument",
        _ => null,
    };
}
