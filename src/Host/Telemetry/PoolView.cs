using ProcessPool.Supervision;

namespace ProcessPool.Telemetry;

/// <summary>What can be seen of one run of a pool. Thread-safe.</summary>
/// <param name="name">The pool's name. Of one pool two runs may be there at a time, when it is switched to another version of its plugin.</param>
/// <param name="settings">The pool's.</param>
/// <param name="counts">The pool's.</param>
/// <param name="supervisor">The run.</param>
/// <param name="workforce">Its workers.</param>
internal sealed class PoolView(string name, PoolSettings settings, PoolCounts counts, Supervisor supervisor, Workforce workforce)
{
    private int _busy;
    private int _waiting;

    public string Name => name;

    public PoolState State => supervisor.State;

    /// <summary>How many workers there are to be.</summary>
    public int Size => settings.Workers;

    /// <summary>How many calls wait for a worker.</summary>
    public int Queued => supervisor.Queue.Count;

    public PoolCounts Counts => counts;

    public IReadOnlyList<Incarnation> Workers => workforce.Living;

    /// <summary>How many workers execute calls.</summary>
    public int Busy => Volatile.Read(ref _busy);

    public void CallBegins() => Interlocked.Increment(ref _busy);

    public void CallEnds() => Interlocked.Decrement(ref _busy);

    /// <summary>A slot waits before it starts its next worker.</summary>
    public void SlotWaits() => Interlocked.Increment(ref _waiting);

    /// <summary>It has waited.</summary>
    public void SlotGoesOn() => Interlocked.Decrement(ref _waiting);

    /// <summary>How many workers are doing what. Those that stand by are idle; those that are about to end are nothing any more.</summary>
    public (int Starting, int Idle, int Busy, int Restarting) CountWorkers()
    {
        var phases = Workers.Select(incarnation => incarnation.Life.Phase).ToList();
        return (
            workforce.Starting,
            phases.Count(phase => phase is WorkerPhase.Idle or WorkerPhase.Standby),
            phases.Count(phase => phase == WorkerPhase.Busy),
            Volatile.Read(ref _waiting));
    }

    /// <summary>How long ago a worker became ready.</summary>
    public TimeSpan AgeOf(Incarnation incarnation) => settings.Time.GetElapsedTime(incarnation.BornAt);
}
