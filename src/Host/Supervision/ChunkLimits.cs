using ProcessPool.Scheduling;

namespace ProcessPool.Supervision;

/// <summary>How long calls that go together may take, each and all. Its user's lock is around it.</summary>
/// <param name="calls">The calls.</param>
/// <param name="settings">The pool's.</param>
internal sealed class ChunkLimits(Chunk calls, PoolSettings settings)
{
    private static readonly TimeSpan LongestBehind = TimeSpan.FromSeconds(1);

    // Whoever looks into a process from outside may stop it for some seconds.
    private static readonly TimeSpan LongestKept = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time = settings.Time;
    private readonly TimeSpan? _longest = LongestOf(calls, settings);
    private readonly long _begunAt = settings.Time.GetTimestamp();
    private long _repliedAt = settings.Time.GetTimestamp();
    private long _lookedAt = settings.Time.GetTimestamp();
    private long? _owesNothingSince;
    private long? _keepsSince;

    /// <summary>How long a call may execute; null: without end.</summary>
    public TimeSpan? Of(int index) => Of(index, calls, settings);

    /// <summary>Whether those behind are to wait in the queue, which knows how long they may: after a quarter of that, or a second.</summary>
    /// <param name="look">What was seen last.</param>
    /// <param name="othersWait">Whether calls wait in the queue.</param>
    public bool AreBehindForLong(ChunkLook look, bool othersWait) =>
        settings.QueueTimeout is { } wait && look.OwesMore && (calls is QueuedCalls || othersWait) && _time.GetElapsedTime(_begunAt) >= (wait / 4 < LongestBehind ? wait / 4 : LongestBehind);

    /// <summary>
    /// Whether there was no reply for longer than a worker that keeps to its word can take: a watch would have ended the call. One that gives calls back one by one, or owes none and does not end, has no more time.
    /// Nor does one that keeps calls which may not wait for ever, and which it was asked for.
    /// </summary>
    public bool IsOverdue(ChunkLook look)
    {
        var now = _time.GetTimestamp();
        var wasSuspended = _time.GetElapsedTime(_lookedAt, now) > CallWatch.ReplyWait;
        _lookedAt = now;
        _repliedAt = look.HasReplied || wasSuspended ? now : _repliedAt;
        _owesNothingSince = look.Owed >= 0 ? null : wasSuspended ? now : _owesNothingSince ?? now;
        _keepsSince = !AreBehindForLong(look, othersWait: false) ? null : wasSuspended ? now : _keepsSince ?? now;
        return (_longest ?? (look.Owed < 0 ? TimeSpan.Zero : null)) is { } limit
            && _time.GetElapsedTime(Math.Max(_repliedAt, _owesNothingSince ?? 0), now) > 2 * limit + settings.CancelGrace + 3 * CallWatch.ReplyWait
            || _keepsSince is { } since && _time.GetElapsedTime(since, now) > settings.QueueTimeout + LongestKept;
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
