using ProcessPool.Protocol;

namespace ProcessPool.Supervision;

/// <summary>Why a worker is recycled.</summary>
internal enum RecycleReason
{
    Calls,
    Lifetime,
    Idle,
    Memory,
    OutOfMemory,
}

/// <summary>When one worker has served its time. Its limits vary by the policy's jitter.</summary>
/// <param name="policy">The limits.</param>
/// <param name="time">The clock.</param>
/// <param name="bornAt">When the worker was ready: a timestamp of the clock.</param>
internal sealed class RecycleRules(RecyclePolicy policy, TimeProvider time, long bornAt)
{
    private readonly double _factor = 1 + policy.Jitter * (2 * Random.Shared.NextDouble() - 1);
    private long _idleSince = time.GetTimestamp();
    private long _calls;
    private bool _outOfMemory;
    private bool _aboveMemory;
    private (long At, TimeSpan Wait)? _postponed;

    /// <summary>So many calls have succeeded.</summary>
    public void CallsEnded(int calls, Func<long?> memory)
    {
        _calls += calls - 1;
        CallEnded(outOfMemory: false, memory);
    }

    /// <summary>A call has ended.</summary>
    /// <param name="outOfMemory">Whether it failed with an <see cref="OutOfMemoryException"/>.</param>
    /// <param name="memory">Reads the worker's memory in bytes; asked only when there is a limit.</param>
    public void CallEnded(bool outOfMemory, Func<long?> memory)
    {
        _calls++;
        _idleSince = time.GetTimestamp();
        _outOfMemory |= outOfMemory && policy.AfterOutOfMemory;
        _aboveMemory = policy.AboveMemory is { } limit && memory() > limit;
    }

    /// <summary>How many calls it may still serve.</summary>
    public int CallsLeft => policy.AfterCalls is { } calls ? (int)Math.Clamp(Math.Max(1, Math.Round(calls * _factor)) - _calls, 1, int.MaxValue) : int.MaxValue;

    /// <summary>It could not be done; not before this time again.</summary>
    public void Postpone(TimeSpan wait) => _postponed = (time.GetTimestamp(), wait);

    /// <summary>Why the worker is to be recycled now, or null.</summary>
    public RecycleReason? Due() => this switch
    {
        { _postponed: var (at, wait) } when time.GetElapsedTime(at) < wait => null,
        { _outOfMemory: true } => RecycleReason.OutOfMemory,
        { _aboveMemory: true } => RecycleReason.Memory,
        _ when policy.AfterCalls is { } calls && _calls >= Math.Max(1, Math.Round(calls * _factor)) => RecycleReason.Calls,
        _ when policy.AfterLifetime is { } lifetime && time.GetElapsedTime(bornAt) >= lifetime * _factor => RecycleReason.Lifetime,
        _ when policy.AfterIdle is { } idle && _calls > 0 && time.GetElapsedTime(_idleSince) >= idle * _factor => RecycleReason.Idle,
        _ => null,
    };

    /// <summary>How long an idle worker has until one of the rules applies by itself; null: for ever.</summary>
    public TimeSpan? NextLook()
    {
        var lifetime = policy.AfterLifetime * _factor - time.GetElapsedTime(bornAt);
        var idle = _calls > 0 ? policy.AfterIdle * _factor - time.GetElapsedTime(_idleSince) : null;
        var next = lifetime is null || idle < lifetime ? idle : lifetime;
        if (_postponed is var (at, wait) && next < wait - time.GetElapsedTime(at))
        {
            next = wait - time.GetElapsedTime(at);
        }

        return next < TimeSpan.Zero ? TimeSpan.Zero : next;
    }

    /// <summary>Whether a call failed for want of memory.</summary>
    public static bool RanOutOfMemory(CallReply reply)
    {
        var depth = 0;
        for (var error = reply.Error; error is not null && depth <= WireLimits.MaxInnerErrors; error = error.Inner, depth++)
        {
            if (error.Type == "System.OutOfMemoryException")
            {
                return true;
            }
        }

        return false;
    }
}
