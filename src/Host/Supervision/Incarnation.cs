using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>One life of a worker, in the pool's books. No record: it is itself, whatever is written into it.</summary>
/// <param name="worker">The handle on it.</param>
/// <param name="index">A number that no other living worker of the pool has.</param>
/// <param name="number">Counts the workers of the pool, from 1.</param>
/// <param name="bornAt">When it was ready: a timestamp of the pool's clock.</param>
internal sealed class Incarnation(IWorker worker, int index, int number, long bornAt)
{
    /// <summary>The handle on it.</summary>
    public IWorker Worker => worker;

    /// <summary>A number that no other living worker of the pool has.</summary>
    public int Index => index;

    /// <summary>Counts the workers of the pool, from 1.</summary>
    public int Number => number;

    /// <summary>When it was ready: a timestamp of the pool's clock.</summary>
    public long BornAt => bornAt;

    /// <summary>Where it is in its life.</summary>
    public WorkerLifecycle Life { get; } = new();

    /// <summary>Why it ends, if the pool wants that: one of the words of <see cref="Telemetry.WorkerEnd"/>. The first reason counts.</summary>
    public string? EndsBecause { get; set; }
}
