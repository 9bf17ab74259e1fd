using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>One life of a worker, in the pool's books.</summary>
/// <param name="Worker">The handle on it.</param>
/// <param name="Index">A number that no other living worker of the pool has.</param>
/// <param name="Number">Counts the workers of the pool, from 1.</param>
/// <param name="BornAt">When it was ready: a timestamp of the pool's clock.</param>
internal sealed record Incarnation(IWorker Worker, int Index, int Number, long BornAt)
{
    /// <summary>Where it is in its life.</summary>
    public WorkerLifecycle Life { get; } = new();

    /// <summary>Why it ends, if the pool wants that: one of the words of <see cref="Telemetry.WorkerEnd"/>. The first reason counts.</summary>
    public string? EndsBecause { get; set; }
}
