using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Tracing;

namespace ProcessPool.Telemetry;

/// <summary>
/// What tools see that look at this process from outside: <c>dotnet-counters monitor --counters ProcessPool</c>, <c>dotnet-trace</c>, <c>processpool top</c>. The ids are part of the public
/// contract and never reused.
/// </summary>
[EventSource(Name = SandboxPoolTelemetry.EventSourceName)]
internal sealed class PoolEvents : EventSource
{
    // Those that the command-line tool reads.
    public const int PoolSnapshotId = 20;
    public const int WorkerSnapshotId = 21;
    public const int SnapshotEndedId = 22;

    public static readonly PoolEvents Log = new();

    private Timer? _snapshots;
    private int _taking;
    private List<DiagnosticCounter>? _counters;

    // Of all pools of the process, those too that are gone, since somebody has listened.
    private long _calls;
    private long _failed;
    private long _exits;

    private PoolEvents()
    {
    }

    [Event(1, Level = EventLevel.Informational, Keywords = Keywords.Lifecycle, Message = "Pool {0} is running: {1} workers for {2}.")]
    public void PoolStarted(string pool, int workers, string plugin)
    {
        if (IsEnabled())
        {
            WriteEvent(1, pool, workers, plugin);
        }
    }

    [Event(2, Level = EventLevel.Informational, Keywords = Keywords.Lifecycle, Message = "Pool {0} has stopped.")]
    public void PoolStopped(string pool) => WriteEvent(2, pool);

    [Event(10, Level = EventLevel.Informational, Keywords = Keywords.Lifecycle, Message = "Worker {1} (pid {2}) is ready after {3} ms.")]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Numbers and texts only.")]
    public void WorkerReady(string pool, string worker, int processId, double milliseconds)
    {
        if (IsEnabled())
        {
            WriteEvent(10, pool, worker, processId, milliseconds);
        }
    }

    [Event(11, Level = EventLevel.Informational, Keywords = Keywords.Lifecycle, Message = "Worker {1} (pid {2}) has ended: {3}, exit code {4}.")]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Numbers and texts only.")]
    public void WorkerExited(string pool, string worker, int processId, string reason, int exitCode)
    {
        if (IsEnabled())
        {
            WriteEvent(11, pool, worker, processId, reason, exitCode);
        }
    }

    [Event(12, Level = EventLevel.Warning, Keywords = Keywords.Calls, Message = "A call of {1} failed: {2}.")]
    public void CallFailed(string pool, string entryPoint, string errorType)
    {
        if (IsEnabled(EventLevel.Warning, Keywords.Calls))
        {
            WriteEvent(12, pool, entryPoint, errorType);
        }
    }

    [Event(PoolSnapshotId, Level = EventLevel.Informational, Keywords = Keywords.Snapshots)]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Numbers and texts only.")]
    public void PoolSnapshot(string pool, string state, int workers, int queued, long calls, long failed, long retries, string exits) =>
        WriteEvent(PoolSnapshotId, pool, state, workers, queued, calls, failed, retries, exits);

    [Event(WorkerSnapshotId, Level = EventLevel.Informational, Keywords = Keywords.Snapshots)]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Numbers and texts only.")]
    public void WorkerSnapshot(string pool, string worker, int processId, string state, long calls, long residentBytes, double processorSeconds, double uptimeSeconds) =>
        WriteEvent(WorkerSnapshotId, pool, worker, processId, state, calls, residentBytes, processorSeconds, uptimeSeconds);

    [Event(SnapshotEndedId, Level = EventLevel.Informational, Keywords = Keywords.Snapshots, Message = "That was everything.")]
    public void SnapshotEnded(int pools) => WriteEvent(SnapshotEndedId, pools);

    /// <summary>So many calls were settled, so many of them failed, so many workers have ended.</summary>
    [NonEvent]
    public void Add(int calls = 0, int failed = 0, int exits = 0)
    {
        if (IsEnabled())
        {
            Interlocked.Add(ref _calls, calls);
            Interlocked.Add(ref _failed, failed);
            Interlocked.Add(ref _exits, exits);
        }
    }

    protected override void OnEventCommand(EventCommandEventArgs command)
    {
        if (command.Command != EventCommand.Enable)
        {
            return;
        }

        _counters ??= NewCounters();
        if (IsEnabled(EventLevel.Informational, Keywords.Snapshots))
        {
            // Never taken away: without listeners it finds that there is nothing to do. Static: a method of this class that returns nothing is an event to the base class.
            _snapshots ??= new Timer(static events => ((PoolEvents)events!).TakeSnapshots(), this, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        }
    }

    [NonEvent]
    private void TakeSnapshots()
    {
        // The last one may still be under way on a slow machine.
        if (!IsEnabled(EventLevel.Informational, Keywords.Snapshots) || Interlocked.Exchange(ref _taking, 1) == 1)
        {
            return;
        }

        try
        {
            TakeSnapshot();
        }
        catch (Exception)
        {
            // What a timer throws ends the program. Whoever watches misses a second.
        }
        finally
        {
            Volatile.Write(ref _taking, 0);
        }
    }

    [NonEvent]
    private void TakeSnapshot()
    {
        var pools = 0;
        foreach (var pool in RunningPools.All)
        {
            pools++;
            PoolSnapshot(pool.Name, pool.State.ToString(), pool.Size, pool.Queued, pool.Counts.Ended, pool.Counts.Failed, pool.Counts.Retries, pool.Counts.Exits.ToString());
            foreach (var incarnation in pool.Workers)
            {
                var worker = incarnation.Worker;
                WorkerSnapshot(
                    pool.Name, worker.Name, worker.ProcessId ?? 0, incarnation.Life.Phase.ToString(), worker.CallsServed, Math.Max(0, worker.ReadUse()?.Resident ?? 0),
                    worker.ReadProcessorTime()?.TotalSeconds ?? 0, pool.AgeOf(incarnation).TotalSeconds);
            }
        }

        SnapshotEnded(pools);
    }

    private List<DiagnosticCounter> NewCounters() =>
    [
        new PollingCounter("workers", this, () => RunningPools.All.Sum(pool => pool.Workers.Count)) { DisplayName = "Workers" },
        new PollingCounter("busy-workers", this, () => RunningPools.All.Sum(pool => pool.CountWorkers().Busy)) { DisplayName = "Busy workers" },
        new PollingCounter("queued-calls", this, () => RunningPools.All.Sum(pool => pool.Queued)) { DisplayName = "Calls that wait" },
        new IncrementingPollingCounter("calls", this, () => Interlocked.Read(ref _calls)) { DisplayName = "Calls", DisplayRateTimeScale = TimeSpan.FromSeconds(1) },
        new IncrementingPollingCounter("failed-calls", this, () => Interlocked.Read(ref _failed)) { DisplayName = "Failed calls", DisplayRateTimeScale = TimeSpan.FromSeconds(1) },
        new IncrementingPollingCounter("worker-exits", this, () => Interlocked.Read(ref _exits)) { DisplayName = "Workers that ended", DisplayRateTimeScale = TimeSpan.FromSeconds(1) },
    ];

    /// <summary>What can be asked for.</summary>
    public static class Keywords
    {
        /// <summary>Pools and workers begin and end.</summary>
        public const EventKeywords Lifecycle = (EventKeywords)1;

        /// <summary>Calls fail.</summary>
        public const EventKeywords Calls = (EventKeywords)2;

        /// <summary>Once a second, all pools and workers.</summary>
        public const EventKeywords Snapshots = (EventKeywords)4;
    }
}
