using ProcessPool.Protocol;
using ProcessPool.Scheduling;

namespace ProcessPool.Telemetry;

/// <summary>What a pool counts of its calls and workers, over all its runs: it has two while it is switched to another version of its plugin. Thread-safe.</summary>
/// <param name="pool">The pool's name.</param>
/// <param name="time">The clock that says when calls were queued and taken.</param>
internal sealed class PoolCounts(string pool, TimeProvider time)
{
    private long _ended;
    private long _failed;
    private long _retries;

    /// <summary>How many calls were settled.</summary>
    public long Ended => Interlocked.Read(ref _ended);

    /// <summary>How many of them failed, for whatever reason.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>How often a call was made again.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>How many workers have ended, and why.</summary>
    public ExitCounts Exits { get; } = new();

    /// <summary>A call was answered.</summary>
    public void Answered(Invocation call, CallStatus status) => Settled(call, ErrorType.OfStatus(status), count: 1);

    /// <summary>A call has failed on this side.</summary>
    public void Failing(Invocation call, Exception error) => Settled(call, ErrorType.Of(error), count: 1);

    /// <summary>A call's caller has left.</summary>
    public void Cancelled(Invocation call) => Settled(call, "cancelled", count: 1);

    /// <summary>So many calls that were to go together have not come to a worker, and were not counted one by one.</summary>
    /// <param name="carrier">What stood for them in the queue.</param>
    /// <param name="error">Why.</param>
    /// <param name="count">How many.</param>
    public void FailedTogether(Invocation carrier, Exception error, int count) => Settled(carrier, ErrorType.Of(error), count);

    /// <summary>So many calls that went together have succeeded. Each counts as long as all of them took.</summary>
    /// <param name="carrier">What stood for them in the queue; null: they were calls of their own there.</param>
    /// <param name="entryPoint">Whose.</param>
    /// <param name="count">How many.</param>
    public void Succeeded(Invocation? carrier, string entryPoint, int count)
    {
        Interlocked.Add(ref _ended, count);
        PoolEvents.Log.Add(calls: count);
        if (carrier is not null && Instruments.MeasuresCalls)
        {
            Measure(carrier, entryPoint, null, count);
        }
    }

    /// <summary>A call goes back to the queue after its worker has died.</summary>
    /// <param name="reason">Why that is allowed.</param>
    public void Retried(string reason)
    {
        Interlocked.Increment(ref _retries);
        Instruments.CallRetried(pool, reason);
    }

    /// <summary>A worker has ended.</summary>
    /// <param name="reason">A word of <see cref="WorkerEnd"/>.</param>
    public void WorkerEnded(string reason)
    {
        Exits.Add(reason);
        PoolEvents.Log.Add(exits: 1);
    }

    private void Settled(Invocation call, string? errorType, int count)
    {
        Interlocked.Add(ref _ended, count);
        PoolEvents.Log.Add(calls: count, failed: errorType is null ? 0 : count);
        if (errorType is not null)
        {
            Interlocked.Add(ref _failed, count);
            PoolEvents.Log.CallFailed(pool, call.Request.EntryPoint, errorType);
        }

        if (Instruments.MeasuresCalls)
        {
            Measure(call, call.Request.EntryPoint, errorType, count);
        }
    }

    private void Measure(Invocation call, string entryPoint, string? errorType, int count)
    {
        var now = time.GetTimestamp();
        var queuedAt = call.QueuedAt == 0 ? now : call.QueuedAt;

        // Read once: another thread may be putting it back.
        var takenAt = call.TakenAt;
        var waitedUntil = takenAt == 0 ? now : Math.Max(takenAt, queuedAt);
        Instruments.CallsEnded(pool, entryPoint, errorType, time.GetElapsedTime(queuedAt, waitedUntil), time.GetElapsedTime(queuedAt, now), count);
    }
}
