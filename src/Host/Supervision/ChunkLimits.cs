using ProcessPool.Scheduling;

namespace ProcessPool.Supervision;

/// <summary>How long calls that go together may take, each and all. Its user's lock is around it.</summary>
/// <param name="calls">The calls.</param>
/// <param name="settings">The pool's.</param>
internal sealed class ChunkLimits(Chunk calls, PoolSettings settings)
{
    // Whoever looks into a process from outside may stop it for some seconds.
    private static readonly TimeSpan LongestKept = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time = settings.Time;
    private readonly bool _mayWait = settings.QueueTimeout is null || calls.MayWait;
    private readonly TimeSpan _longestBehind = settings.QueueTimeout / 4 is { } quarter && quarter < TimeSpan.FromSeconds(1) ? quarter : TimeSpan.FromSeconds(1);
    private readonly TimeSpan? _longest = LongestOf(calls, settings);
    private readonly long _begunAt = settings.Time.GetTimestamp();
    private long _repliedAt = settings.Time.GetTimestamp();
    private long _lookedAt = settings.Time.GetTimestamp();
    private long? _owesNothingSince;
    private long? _keepsSince;

    /// <summary>How long a call may execute; null: without end.</summary>
    public TimeSpan? Of(int index) => Of(index, calls, settings);

    /// <summary>Whether those behind another one are to wait in the queue, which knows how long they may: after a quarter of that, or a second. A map's only make way for others.</summary>
    /// <param name="look">What was seen last.</param>
    /// <param name="areOthersLimited">Whether calls wait in the queue that may not wait for ever.</param>
    public bool MustMove(ChunkLook look, bool areOthersLimited) => look.OwesMore && (!_mayWait || areOthersLimited) && _time.GetElapsedTime(_begunAt) >= _longestBehind;

    /// <summary>
    /// Whether there was no reply for longer than a worker that keeps to its word can take: a watch would have ended the call. One that gives calls back one by one, or owes none and does not end, has no more time.
    /// Nor does one that keeps calls which are to wait in the queue.
    /// </summary>
    public bool IsOverdue(ChunkLook look)
    {
        var now = _time.GetTimestamp();
        var wasSuspended = _time.GetElapsedTime(_lookedAt, now) > CallWatch.ReplyWait;
        _lookedAt = now;
        _repliedAt = look.HasReplied || wasSuspended ? now : _repliedAt;
        _owesNothingSince = look.Owed >= 0 ? null : wasSuspended ? now : _owesNothingSince ?? now;
        _keepsSince = !MustMove(look, areOthersLimited: false) ? null : wasSuspended ? now : _keepsSince ?? now;
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
