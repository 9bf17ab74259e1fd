using ProcessPool.Scheduling;

namespace ProcessPool.Supervision;

/// <summary>How long calls that go together may take, each and all. Its user's lock is around it.</summary>
/// <param name="calls">The calls.</param>
/// <param name="settings">The pool's.</param>
internal sealed class ChunkLimits(Chunk calls, PoolSettings settings)
{
    private readonly TimeProvider _time = settings.Time;
    private readonly TimeSpan? _longest = LongestOf(calls, settings);
    private long _repliedAt = settings.Time.GetTimestamp();
    private long _lookedAt = settings.Time.GetTimestamp();
    private long? _owesNothingSince;

    /// <summary>How long a call may execute; null: without end.</summary>
    public TimeSpan? Of(int index) => Of(index, calls, settings);

    /// <summary>How long calls may wait behind another one; null: without end. Items of a map wait as long as it takes.</summary>
    public TimeSpan? Wait => calls is QueuedCalls ? settings.QueueTimeout : null;

    /// <summary>
    /// Whether there was no reply for longer than a worker that keeps to its word can take: a watch would have ended the call. One that gives calls back one by one, or owes none and does not end, has no more time.
    /// Nor may one keep calls back for longer than they may wait: it was asked for them as soon as it stood still.
    /// </summary>
    public bool IsOverdue(ChunkLook look)
    {
        var now = _time.GetTimestamp();
        var wasSuspended = _time.GetElapsedTime(_lookedAt, now) > CallWatch.ReplyWait;
        _lookedAt = now;
        _repliedAt = look.HasReplied || wasSuspended ? now : _repliedAt;
        _owesNothingSince = look.Owed >= 0 ? null : wasSuspended ? now : _owesNothingSince ?? now;
        var execution = 2 * (_longest ?? (look.Owed < 0 ? TimeSpan.Zero : null)) + settings.CancelGrace;
        var wait = look.OwesMore ? Wait : null;
        return (execution is null || wait < execution ? wait : execution) is { } limit
            && _time.GetElapsedTime(Math.Max(_repliedAt, _owesNothingSince ?? 0), now) > limit + 3 * CallWatch.ReplyWait;
    }

    private static TimeSpan? Of(int index, Chunk calls, PoolSettings settings) => calls.TimeoutOf(index) ?? settings.CallTimeout;

    private static TimeSpan? LongestOf(Chunk calls, PoolSettings settings)
    {
        var longest = TimeSpan.Zero;
        for (var i = 0; i < calls.Count; i++)
        {
            if (Of(i, calls, settings) is not { } limit)
            {
                return null;
            }

            longest = limit > longest ? limit : longest;
        }

        return longest;
    }
}
