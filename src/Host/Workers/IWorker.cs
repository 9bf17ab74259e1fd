using ProcessPool.Protocol;

namespace ProcessPool.Workers;

/// <summary>The host's handle on one sandbox incarnation that is ready for calls. One call at a time.</summary>
internal interface IWorker : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Null in debug mode, where there is no process.</summary>
    int? ProcessId { get; }

    /// <summary>Ends when the worker is gone, for whatever reason. Never fails.</summary>
    Task<WorkerExit> Exited { get; }

    /// <summary>Whether the worker is known to be gone. Asks the system, so it may know before <see cref="Exited"/> ends.</summary>
    bool HasExited { get; }

    /// <summary>Runs one call. Cancelling the token only asks the plugin to end; the task always ends with the call or with the worker.</summary>
    /// <exception cref="WorkerLostException">The worker is gone; <see cref="Exited"/> has ended.</exception>
    Task<CallReply> InvokeAsync(CallRequest request, CancellationToken cancellationToken);

    /// <summary>Ends the worker and its descendants at once.</summary>
    void Kill();

    /// <summary>Asks the worker to end by itself, and kills it when the time is up. Ends when the worker is gone.</summary>
    Task StopAsync(TimeSpan timeout);
}

/// <summary>The worker died before it answered.</summary>
internal sealed class WorkerLostException(WorkerExit exit) : Exception($"The worker is gone: {exit.Reason}.")
{
    public WorkerExit Exit { get; } = exit;
}

/// <summary>How a worker ended.</summary>
internal sealed record WorkerExit(
    CrashReason Reason, int ExitCode, string? Signal, string StandardErrorTail, TimeSpan Uptime, long CallsServed);
