using System.Diagnostics;
using System.Diagnostics.Metrics;
using ProcessPool.Workers;

namespace ProcessPool.Telemetry;

/// <summary>
/// The instruments of all pools. The names are those of OpenTelemetry where it has one (https://opentelemetry.io/docs/specs/semconv/rpc/, …/system/process-metrics/);
/// the shape is that of its database connection pools (https://opentelemetry.io/docs/specs/semconv/db/database-metrics/), which is what users know.
/// </summary>
internal static class Instruments
{
    private static readonly double[] Seconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private static readonly Meter Meter = new(SandboxPoolTelemetry.MeterName, typeof(Instruments).Assembly.GetName().Version?.ToString(3));

    private static Histogram<double> StartDuration { get; } = NewHistogram("processpool.worker.start.duration", "How long it took a worker from its process's start to being ready.");

    private static Histogram<double> WaitTime { get; } = NewHistogram("processpool.request.wait_time", "How long a call waited for a worker.");

    private static Histogram<double> Duration { get; } = NewHistogram("processpool.client.operation.duration", "How long a call took from when it was queued until it was settled.");

    private static Counter<long> Exits { get; } = Meter.CreateCounter<long>("processpool.worker.exits", "{exit}", "Workers that have ended.");

    private static Counter<long> Retries { get; } = Meter.CreateCounter<long>("processpool.request.retries", "{retry}", "Calls that were made again.");

    /// <summary>Whether anybody wants to know how long calls take.</summary>
    public static bool MeasuresCalls => Duration.Enabled || WaitTime.Enabled;

    /// <summary>A worker was started, or could not be.</summary>
    public static void WorkerStarted(string pool, TimeSpan took, string? errorType) => Tell(() =>
    {
        var tags = new TagList { { AttributeNames.Pool, pool } };
        if (errorType is not null)
        {
            tags.Add(AttributeNames.ErrorType, errorType);
        }

        StartDuration.Record(took.TotalSeconds, tags);
    });

    /// <summary>A worker has ended.</summary>
    /// <param name="pool">The pool's name.</param>
    /// <param name="reason">A word of <see cref="WorkerEnd"/>.</param>
    /// <param name="death">How it died, if nobody had asked it to.</param>
    public static void WorkerExited(string pool, string reason, WorkerExit? death) => Tell(() =>
    {
        var tags = new TagList { { AttributeNames.Pool, pool }, { AttributeNames.ExitReason, reason } };
        if (death is not null)
        {
            tags.Add(AttributeNames.ExitCode, death.ExitCode);
        }

        if (death?.Signal is { } signal)
        {
            tags.Add(AttributeNames.ExitSignal, signal);
        }

        Exits.Add(1, tags);
    });

    /// <summary>A call goes back to the queue after its worker has died.</summary>
    public static void CallRetried(string pool, string reason) => Tell(() => Retries.Add(1, new(AttributeNames.Pool, pool), new(AttributeNames.RetryReason, reason)));

    /// <summary>Calls were settled: so many, alike.</summary>
    public static void CallsEnded(string pool, string entryPoint, string? errorType, TimeSpan waited, TimeSpan took, int count = 1) => Tell(() =>
    {
        var tags = new TagList { { AttributeNames.Pool, pool }, { AttributeNames.Method, entryPoint } };
        if (errorType is not null)
        {
            tags.Add(AttributeNames.ErrorType, errorType);
        }

        for (var i = 0; i < count; i++)
        {
            Duration.Record(took.TotalSeconds, tags);
            WaitTime.Record(waited.TotalSeconds, new KeyValuePair<string, object?>(AttributeNames.Pool, pool));
        }
    });

    // Listeners are a user's code, and run here: what they throw must not end a slot, or keep a caller waiting.
    private static void Tell(Action measure)
    {
        try
        {
            measure();
        }
        catch (Exception)
        {
            // There is nobody to tell.
        }
    }

    /// <summary>Makes those that are asked, not told. Called when the first pool starts.</summary>
    public static void Observe()
    {
        // The type's initializer does it, once.
    }

    static Instruments()
    {
        // Two runs of one pool are one time series.
        Meter.CreateObservableUpDownCounter("processpool.worker.count", () => ByName(WorkersOf), "{worker}", "Workers by what they are doing.");
        Meter.CreateObservableUpDownCounter(
            "processpool.request.pending", () => ByName(runs => [new Measurement<long>(runs.Sum(run => run.Queued), new KeyValuePair<string, object?>(AttributeNames.Pool, runs.Key))]), "{request}", "Calls that wait for a worker.");
        Meter.CreateObservableUpDownCounter(
            "process.memory.usage", () => OfProcesses<long>(worker => worker.ReadUse() is { Resident: >= 0 } use ? use.Resident : null), "By", "Resident memory of a worker's process.");
        Meter.CreateObservableCounter("process.cpu.time", () => OfProcesses<double>(worker => worker.ReadProcessorTime()?.TotalSeconds), "s", "Processor time of a worker's process.");
    }

    private static Histogram<double> NewHistogram(string name, string description) =>
        Meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = Seconds });

    private static IEnumerable<Measurement<long>> ByName(Func<IGrouping<string, PoolView>, IEnumerable<Measurement<long>>> measure) => RunningPools.All.GroupBy(pool => pool.Name).SelectMany(measure);

    private static IEnumerable<Measurement<long>> WorkersOf(IGrouping<string, PoolView> runs)
    {
        var counts = runs.Select(run => run.CountWorkers()).ToList();
        return new (string State, int Count)[]
            {
                ("starting", counts.Sum(count => count.Starting)),
                ("idle", counts.Sum(count => count.Idle)),
                ("busy", counts.Sum(count => count.Busy)),
                ("restarting", counts.Sum(count => count.Restarting)),
            }
            .Select(each => new Measurement<long>(each.Count, new KeyValuePair<string, object?>(AttributeNames.Pool, runs.Key), new KeyValuePair<string, object?>(AttributeNames.WorkerState, each.State)));
    }

    private static IEnumerable<Measurement<T>> OfProcesses<T>(Func<IWorker, T?> read)
        where T : struct =>
        from pool in RunningPools.All
        from incarnation in pool.Workers
        where incarnation.Worker.ProcessId is not null
        let value = read(incarnation.Worker)
        where value is not null
        select new Measurement<T>(value.Value, new KeyValuePair<string, object?>(AttributeNames.Pool, pool.Name), new KeyValuePair<string, object?>(AttributeNames.ProcessId, incarnation.Worker.ProcessId));
}
