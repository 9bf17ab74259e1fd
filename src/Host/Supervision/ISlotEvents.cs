using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>What a slot tells its supervisor. Called from the slot's loop; must not block.</summary>
internal interface ISlotEvents
{
    string PoolName { get; }

    void WorkerReady(int slot);

    void WorkerGone(int slot);

    /// <summary>A worker ended that nobody had asked to.</summary>
    void WorkerDied(IWorker worker, WorkerExit exit);

    void StartFailed(int slot, Exception exception, int failures);

    /// <summary>The slot will have no worker any more.</summary>
    void GivenUp(int slot, Exception exception);
}
