namespace ProcessPool.Scheduling;

/// <content>How long a call may wait.</content>
internal sealed partial class InvocationQueue
{
    private QueueStatus Status_NeedsLock() => new(
        _count + _callers.Count,
        Oldest_NeedsLock(_ => true) is { } oldest ? _time.GetElapsedTime(oldest.QueuedAt) : TimeSpan.Zero);

    private Invocation? Oldest_NeedsLock(Func<Invocation, bool> counts) => Lists_NeedsLock().Select(calls => calls.OldestOf(counts)).Where(call => call is not null).MinBy(call => call!.QueuedAt);

    private static bool MayExpire(Invocation call) => !call.Options.IsOfMap;

    // A call was added.
    private void ArmTimer_NeedsLock(Invocation call)
    {
        if (_timer is not null && !_timerArmed && MayExpire(call))
        {
            ArmTimer_NeedsLock();
        }
    }

    // One timer for all: the oldest call is the first whose time is up.
    private void ArmTimer_NeedsLock()
    {
        if (Oldest_NeedsLock(MayExpire) is { } oldest)
        {
            _timerArmed = true;
            var left = _timeout!.Value - _time.GetElapsedTime(oldest.QueuedAt);
            _timer!.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private void Expire()
    {
        var expired = new List<(Invocation Call, QueueStatus Status)>();
        lock (_gate)
        {
            while (Oldest_NeedsLock(MayExpire) is { } oldest && _time.GetElapsedTime(oldest.QueuedAt) >= _timeout)
            {
                expired.Add((oldest, Status_NeedsLock()));
                Remove_NeedsLock(oldest);
            }

            _timerArmed = false;
            ArmTimer_NeedsLock();
        }

        foreach (var (call, status) in expired)
        {
            call.Fail(_errors.TimedOut(call, _timeout!.Value, status));
            call.Room?.TrySetResult();
        }
    }
}
