namespace ProcessPool.Workers;

/// <summary>How a worker ended.</summary>
/// <param name="Reason">Why.</param>
/// <param name="ExitCode">The process's exit code.</param>
/// <param name="Signal">The signal's name, or null.</param>
/// <param name="StandardErrorTail">What it printed last.</param>
/// <param name="Uptime">How long it lived.</param>
/// <param name="CallsServed">How many calls it answered.</param>
/// <param name="Mark">What it was executing, by its own account; null when that is unknown.</param>
/// <param name="PeakMemory">The most memory it was seen with, in bytes; null when that is unknown.</param>
internal sealed record WorkerExit(
    CrashReason Reason, int ExitCode, string? Signal, string StandardErrorTail, TimeSpan Uptime, long CallsServed, RecorderMark? Mark = null, long? PeakMemory = null)
{
    /// <summary>Whether the process ended by itself and said that all was well.</summary>
    public bool IsClean => Reason == CrashReason.ExitCalled && ExitCode == 0;

    /// <summary>The reason in words, for errors.</summary>
    public string Why => Reason switch
    {
        CrashReason.ExitCalled => $"plugin code ended the process ({How})",
        CrashReason.StackOverflow => $"stack overflow ({How})",
        CrashReason.OutOfMemory => $"out of memory ({How})",
        CrashReason.KilledFromOutside => $"killed from outside the pool ({How})",
        CrashReason.MemoryLimit => "it used more memory than MemoryLimit allows and was killed by the pool",
        CrashReason.ThreadLimit => "it had more threads than Confinement.MaxThreads allows and was killed by the pool",
        CrashReason.ScratchLimit => "its scratch folder held more than Confinement.MaxScratchBytes allows and it was killed by the pool",
        CrashReason.ProtocolViolation => "it broke the protocol and was killed by the pool",
        _ => How,
    };

    /// <summary>Whether the pool killed it for what it did.</summary>
    public bool IsByPool => Reason is CrashReason.MemoryLimit or CrashReason.ThreadLimit or CrashReason.ScratchLimit or CrashReason.ProtocolViolation;

    /// <summary>The signal, or the exit code.</summary>
    public string How => Signal ?? $"exit code {ExitCode}";
}

/// <summary>The worker died before it answered.</summary>
internal sealed class WorkerLostException(WorkerExit exit) : Exception($"The worker is gone: {exit.Reason}.")
{
    public WorkerExit Exit { get; } = exit;
}
