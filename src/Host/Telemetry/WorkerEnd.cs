using ProcessPool.Supervision;

namespace ProcessPool.Telemetry;

/// <summary>Why a worker ended, in a word.</summary>
internal static class WorkerEnd
{
    public const string Recycled = "recycled";
    public const string Shutdown = "shutdown";

    /// <summary>Of one that was told to end with its call, or could not be trusted after it.</summary>
    public static string Of(EndReason reason) => reason switch
    {
        EndReason.TimedOut => "timeout",
        EndReason.Cancelled => "cancelled",
        _ => Shutdown,
    };

    /// <summary>Of one that died by itself, or that the pool killed for what it did.</summary>
    public static string Of(CrashReason reason) => reason switch
    {
        CrashReason.OutOfMemory or CrashReason.MemoryLimit => "memory",
        CrashReason.ThreadLimit or CrashReason.ScratchLimit => "limit",
        CrashReason.ProtocolViolation => "protocol",
        CrashReason.KilledFromOutside => "killed",
        _ => "crash",
    };
}
