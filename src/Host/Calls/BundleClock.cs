namespace ProcessPool.Calls;

/// <summary>How long a bundle stays open for further calls: two to four milliseconds. Its user's lock is around what needs it.</summary>
/// <param name="time">The clock.</param>
internal sealed class BundleClock(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(2);

    private ITimer? _timer;
    private long _opened;
    private long _looksFor;

    /// <summary>Starts it.</summary>
    /// <param name="look">Called after each interval in which a bundle was open.</param>
    /// <returns>Stops it.</returns>
    public IDisposable Start(Action look) => _timer = time.CreateTimer(_ => Look(look), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>A bundle was opened.</summary>
    public void Opened_NeedsLock()
    {
        _opened++;
        if (_looksFor == 0)
        {
            LookLater();
        }
    }

    /// <summary>An interval is over.</summary>
    /// <param name="isOpen">Whether a bundle is open.</param>
    /// <returns>Whether that is the one that was open when the interval began.</returns>
    public bool IsDue_NeedsLock(bool isOpen)
    {
        var isSame = isOpen && _looksFor == _opened;
        _looksFor = 0;
        if (isOpen && !isSame)
        {
            LookLater();
        }

        return isSame;
    }

    // On a timer's thread an exception would end the program. Memory may be short: it is tried again.
    private void Look(Action look)
    {
        try
        {
            look();
        }
        catch (OutOfMemoryException)
        {
            _timer!.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }

    private void LookLater()
    {
        _looksFor = _opened;
        _timer!.Change(Interval, Timeout.InfiniteTimeSpan);
    }
}
