namespace ProcessPool.Scheduling;

/// <content>How long a call may wait.</content>
internal sealed partial class InvocationQueue
{
    private QueueStatus Status_NeedsLock() => new(
        _count + _callers.Count,
        Oldest_NeedsLock() is { } oldest ? _time.GetElapsedTime(oldest.QueuedAt) : TimeSpan.Zero);

    private Invocation? Oldest_NeedsLock() => Lists_NeedsLock().Select(calls => calls.Oldest).Where(call => call is not null).MinBy(call => call!.QueuedAt);

    // One timer for all: the oldest call is the first whose time is up.
    private void ArmTimer_NeedsLock()
    {
        if (_timer is not null && !_timerArmed && Oldest_NeedsLock() is { } oldest)
        {
            _timerArmed = true;
            var left = _timeout!.Value - _time.GetElapsedTime(oldest.QueuedAt);
            _timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private void Expire()
    {
        var expired = new List<(Invocation Call, QueueStatus Status)>();
        lock (_gate)
        {
            while (Oldest_NeedsLock() is { } oldest && _time.GetElapsedTime(oldest.QueuedAt) >= _timeout)
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
