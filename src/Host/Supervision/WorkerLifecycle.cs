namespace ProcessPool.Supervision;

/// <summary>What a worker is doing.</summary>
internal enum WorkerPhase
{
    Starting,
    Standby,
    Idle,
    Busy,
    Stopping,
    Killed,
    Gone,
}

/// <summary>What happens to a worker.</summary>
internal enum WorkerTrigger
{
    Ready,
    Join,
    Assign,
    Settle,
    Stop,
    Kill,
    Exit,
}

/// <summary>Where a worker is in its life. Written by whoever owns the worker: first its starter, then its slot. A move that is not in the table throws.</summary>
internal sealed class WorkerLifecycle
{
    public static TransitionTable<WorkerPhase, WorkerTrigger> Table { get; } = new(
        "worker",
        (WorkerPhase.Starting, WorkerTrigger.Ready, WorkerPhase.Standby),
        (WorkerPhase.Standby, WorkerTrigger.Join, WorkerPhase.Idle),
        (WorkerPhase.Standby, WorkerTrigger.Stop, WorkerPhase.Stopping),
        (WorkerPhase.Standby, WorkerTrigger.Exit, WorkerPhase.Gone),
        (WorkerPhase.Idle, WorkerTrigger.Assign, WorkerPhase.Busy),
        (WorkerPhase.Idle, WorkerTrigger.Stop, WorkerPhase.Stopping),
        (WorkerPhase.Idle, WorkerTrigger.Exit, WorkerPhase.Gone),
        (WorkerPhase.Busy, WorkerTrigger.Settle, WorkerPhase.Idle),
        (WorkerPhase.Busy, WorkerTrigger.Kill, WorkerPhase.Killed),
        (WorkerPhase.Busy, WorkerTrigger.Exit, WorkerPhase.Gone),
        (WorkerPhase.Stopping, WorkerTrigger.Kill, WorkerPhase.Killed),
        (WorkerPhase.Stopping, WorkerTrigger.Exit, WorkerPhase.Gone),
        (WorkerPhase.Killed, WorkerTrigger.Exit, WorkerPhase.Gone));

    public WorkerPhase Phase { get; private set; } = WorkerPhase.Starting;

    public void Fire(WorkerTrigger on) => Phase = Table.Next(Phase, on);
}
