namespace ProcessPool.Scheduling;

/// <content>How long a call may wait. Items of a map wait as long as it takes.</content>
internal sealed partial class InvocationQueue
{
    // When the timer is due; null: no call that may expire waits.
    private long? _expiresAt;

    private static bool MayExpire(Invocation call) => !call.Options.IsOfMap;

    private QueueStatus Status_NeedsLock() => new(
        _count + _callers.Count,
        Lists_NeedsLock().Select(calls => calls.OldestOf(_ => true)).OfType<Invocation>().MinBy(call => call.QueuedAt) is { } oldest ? _time.GetElapsedTime(oldest.QueuedAt) : TimeSpan.Zero);

    private bool IsDue(Invocation call) => _time.GetElapsedTime(call.QueuedAt) >= _timeout;

    // One timer for all, due when the first call's time is up. One that was put back may be the first.
    private void ArmTimer_NeedsLock(Invocation call)
    {
        if (_timer is null || !MayExpire(call))
        {
            return;
        }

        var expiresAt = call.QueuedAt + (long)(_timeout!.Value.TotalSeconds * _time.TimestampFrequency);
        if (_expiresAt is null || expiresAt < _expiresAt)
        {
            _expiresAt = expiresAt;
            var left = _timeout.Value - _time.GetElapsedTime(call.QueuedAt);
            _timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private void Expire()
    {
        QueueStatus status;
        List<Invocation> expired = [];
        lock (_gate)
        {
            status = Status_NeedsLock();
            List<Invocation> due = [.. Lists_NeedsLock().SelectMany(calls => calls.FromTheOldestOn(MayExpire, IsDue)).Where(IsDue)];

            // The room that one leaves may have been another one's way to a worker.
            foreach (var call in due.Where(call => call.QueuedIn is not null))
            {
                Remove_NeedsLock(call);
                expired.Add(call);
            }

            _expiresAt = null;
            if (Lists_NeedsLock().Select(calls => calls.OldestOf(MayExpire)).OfType<Invocation>().MinBy(call => call.QueuedAt) is { } oldest)
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
