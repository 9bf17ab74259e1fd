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
}

/// <summary>The worker died before it answered.</summary>
internal sealed class WorkerLostException(WorkerExit exit) : Exception($"The worker is gone: {exit.Reason}.")
{
    public WorkerExit Exit { get; } = exit;
}
