using ProcessPool.Calls;
using ProcessPool.Launch;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Scheduling;

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
    /// <param name="request">The call.</param>
    /// <param name="callbacks">What it may ask of the host, until it has ended; null: nothing.</param>
    /// <param name="cancellationToken">Asks the plugin to end.</param>
    Task<CallReply> InvokeAsync(CallRequest request, Callbacks? callbacks, CancellationToken cancellationToken);

    /// <summary>Has the worker compile what it needs for a call. No plugin code runs. Ends with that or with the worker; one that does not answer in time is killed.</summary>
    Task WarmUpAsync();

    /// <summary>Runs many calls, one after the other. The task ends with the last reply, or with the worker.</summary>
    /// <exception cref="WorkerLostException">The worker is gone. Each reply that it had finished was delivered.</exception>
    /// <param name="calls">The calls: none streams, or has live arguments.</param>
    /// <param name="reply">Takes each reply: which call's, and what it is.</param>
    /// <param name="plain">Is offered the results of calls that succeeded first.</param>
    Task InvokeManyAsync(Chunk calls, Action<int, CallReply> reply, PlainReply plain);

    /// <summary>Asks one of the calls to end: now, or as soon as it begins.</summary>
    void Cancel(long callId);

    /// <summary>Takes back calls of <see cref="InvokeManyAsync"/> that have not begun.</summary>
    /// <returns>Those that it will not begin; nobody waits for their replies any more. None when the worker is gone.</returns>
    Task<IReadOnlyList<long>> RevokeAsync(IReadOnlyList<long> callIds);

    /// <summary>After a request was made: its reply is looked for. Not needed where <see cref="Spin"/> follows.</summary>
    void Watch();

    /// <summary>Waits busily for what this worker is about to send, until a task has ended or the time is up.</summary>
    /// <returns>Whether the task has ended.</returns>
    bool Spin(Task task, long untilTimestamp);

    /// <summary>The next items of the stream that a call's reply began.</summary>
    /// <exception cref="WorkerLostException">The worker is gone.</exception>
    Task<CallReply> NextAsync(long callId, CancellationToken cancellationToken);

    /// <summary>Ends such a stream in the middle.</summary>
    /// <exception cref="WorkerLostException">The worker is gone.</exception>
    Task EndAsync(long callId);

    /// <summary>What was achieved of the pool's policy before the plugin was loaded.</summary>
    ConfinementReport? Confinement { get; }

    /// <summary>What the plugin is made of there; null when the sandbox does not say, or is gone.</summary>
    Task<LoadReport?> GetLoadReportAsync(CancellationToken cancellationToken);

    /// <summary>What the sandbox says it is executing; null when that is unknown.</summary>
    RecorderMark? ReadMark();

    /// <inheritdoc cref="ISandbox.ReadUse"/>
    ProcessUse? ReadUse();

    /// <inheritdoc cref="ISandbox.ReadProcessorTime"/>
    TimeSpan? ReadProcessorTime();

    /// <summary>How many calls it has answered.</summary>
    long CallsServed { get; }

    /// <summary>The most resident memory that its process was seen with, in bytes; null when that is unknown.</summary>
    long? PeakMemory { get; }

    /// <inheritdoc cref="ISandbox.ReadScratch"/>
    long ReadScratch(long enough);

    /// <summary>Ends the worker and its descendants at once.</summary>
    /// <param name="reason">What its exit is to be put down to, unless it broke the protocol before; null: to what its exit code says.</param>
    void Kill(CrashReason? reason = null);

    /// <summary>Asks the worker to end by itself, and kills it when the time is up. Ends when the worker is gone.</summary>
    /// <returns>Whether it had to be killed.</returns>
    Task<bool> StopAsync(TimeSpan timeout);
}
