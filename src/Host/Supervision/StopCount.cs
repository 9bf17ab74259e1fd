namespace ProcessPool.Supervision;

/// <summary>Counts what happens while a pool stops. Thread-safe.</summary>
internal sealed class StopCount
{
    private volatile bool _counting;
    private long _completed;
    private long _cutOff;
    private int _killed;

    public StopReport Report => new(Interlocked.Read(ref _completed), Interlocked.Read(ref _cutOff), Volatile.Read(ref _killed));

    public void Begin() => _counting = true;

    public void Completed(int calls = 1)
    {
        if (_counting)
        {
            Interlocked.Add(ref _completed, calls);
        }
    }

    public void CutOff(int calls)
    {
        if (_counting)
        {
            Interlocked.Add(ref _cutOff, calls);
        }
    }

    public void Killed()
    {
        if (_counting)
        {
            Interlocked.Increment(ref _killed);
        }
    }
}
