namespace ProcessPool.Supervision;

/// <summary>Counts what happens while a pool stops. Thread-safe.</summary>
internal sealed class StopCount
{
    private volatile bool _counting;
    private long _ended;
    private long _cutOff;
    private long _cutOffExecuting;
    private int _killed;

    public StopReport Report => new(
        Interlocked.Read(ref _ended) - Interlocked.Read(ref _cutOffExecuting), Interlocked.Read(ref _cutOff), Volatile.Read(ref _killed));

    public void Begin() => _counting = true;

    /// <summary>A call has left its worker.</summary>
    public void Ended()
    {
        if (_counting)
        {
            Interlocked.Increment(ref _ended);
        }
    }

    /// <summary>Calls that waited were refused.</summary>
    public void Refused(int count) => Interlocked.Add(ref _cutOff, count);

    /// <summary>A call that was executing was cut off; it will leave its worker too.</summary>
    public void CutOff()
    {
        Interlocked.Increment(ref _cutOff);
        Interlocked.Increment(ref _cutOffExecuting);
    }

    public void Killed()
    {
        if (_counting)
        {
            Interlocked.Increment(ref _killed);
        }
    }
}
