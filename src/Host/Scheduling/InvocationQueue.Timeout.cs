namespace ProcessPool.Scheduling;

/// <content>How long a call may wait. Items of a map wait as long as it takes.</content>
internal sealed partial class InvocationQueue
{
    // When the timer is due; null: no call that may expire waits.
    private long? _expiresAt;

    // Those that were put back may stand before older ones: for a message that is near enough.
    private QueueStatus Status_NeedsLock() => new(
        _count + _callers.Count,
        Lists_NeedsLock().SelectMany(calls => calls.Heads).MinBy(call => call.QueuedAt) is { } oldest ? _time.GetElapsedTime(oldest.QueuedAt) : TimeSpan.Zero);

    private bool IsDue(Invocation call) => _time.GetElapsedTime(call.QueuedAt) >= _timeout;

    // One timer for all, due when the first call's time is up. One that was put back may be the first.
    private void ArmTimer_NeedsLock(Invocation call)
    {
        if (_timer is null || call.Options.IsOfMap)
        {
            return;
        }

        var expiresAt = call.QueuedAt + (long)(_timeout!.Value.TotalSeconds * _time.TimestampFrequency);
        if (_expiresAt is null || expiresAt < _expiresAt)
        {
            _expiresAt = expiresAt;

            // Not a moment too soon: timers know whole milliseconds.
            var left = Math.Ceiling((_timeout.Value - _time.GetElapsedTime(call.QueuedAt)).TotalMilliseconds);
            _timer.Change(TimeSpan.FromMilliseconds(Math.Max(0, left)), Timeout.InfiniteTimeSpan);
        }
    }

    private void Expire()
    {
        QueueStatus status = default;
        List<Invocation> expired = [];
        lock (_gate)
        {
            List<Invocation> due = [.. Lists_NeedsLock().SelectMany(calls => calls.Front(IsDue)).Where(IsDue)];
            if (due.Count > 0)
            {
                status = Status_NeedsLock();
            }

            // The room that one leaves may have been another one's way to a worker.
            foreach (var call in due.Where(call => call.QueuedIn is not null))
            {
                Remove_NeedsLock(call);
                expired.Add(call);
            }

            _expiresAt = null;
            if (Lists_NeedsLock().SelectMany(calls => calls.Front(_ => false)).MinBy(call => call.QueuedAt) is { } oldest)
            {
                ArmTimer_NeedsLock(oldest);
            }
        }

        foreach (var call in expired)
        {
            call.Fail(_errors.TimedOut(call, _timeout!.Value, status));
            call.Room?.TrySetResult();
        }
    }
}
