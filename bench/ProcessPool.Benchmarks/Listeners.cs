using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using ProcessPool;

namespace ProcessPool.Benchmarks;

/// <summary>What OpenTelemetry's own readers cost a call, in turn on one pool. What they collect is thrown away.</summary>
internal static class Listeners
{
    private const int Rounds = 15;
    private const int RoundTrips = 2_000;
    private const int Singles = 20_000;

    private static readonly (string Name, Func<IDisposable?> Listen)[] All =
    [
        ("nobody", () => null),
        ("metrics", Metrics),
        ("sampled_out", () => Traces(new AlwaysOffSampler())),
        ("traced", () => Traces(new AlwaysOnSampler())),
    ];

    public static async Task<Dictionary<string, double>> RunAsync()
    {
        await using var pool = await SandboxPool.StartAsync(new() { Plugin = Paths.Plugin, Workers = 1, QueueCapacity = Singles });
        var figures = All.ToDictionary(listener => listener.Name, _ => (Times: new Samples(), Allocated: new List<double>(), Rates: new List<double>()));

        // The first rounds are for the compiler.
        for (var round = -5; round < Rounds; round++)
        {
            foreach (var (name, listen) in All)
            {
                using var listener = listen();
                var (times, allocated, rates) = round < 0 ? (new Samples(), [], []) : figures[name];
                await RoundTripsAsync(pool, times, allocated);
                rates.Add(await RateAsync(pool));
            }
        }

        return figures.SelectMany(figure => new[]
        {
            KeyValuePair.Create($"{figure.Key}_p50_us", figure.Value.Times.Percentile(0.5)),
            KeyValuePair.Create($"{figure.Key}_allocated_bytes", figure.Value.Allocated.Order().ElementAt(Rounds / 2)),
            KeyValuePair.Create($"{figure.Key}_calls_per_s", figure.Value.Rates.Order().ElementAt(Rounds / 2)),
        }).ToDictionary();
    }

    private static async Task RoundTripsAsync(SandboxPool pool, Samples times, List<double> allocated)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < RoundTrips; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await pool.InvokeAsync<int>("Square", [7]);
            times.Add(Stopwatch.GetElapsedTime(began));
        }

        allocated.Add((GC.GetTotalAllocatedBytes(precise: true) - before) / (double)RoundTrips);
    }

    private static async Task<double> RateAsync(SandboxPool pool)
    {
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Singles).Select(i => pool.InvokeAsync<int>("Square", [i & 0xFF])));
        return Singles / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static MeterProvider Metrics() =>
        Sdk.CreateMeterProviderBuilder().AddMeter(SandboxPoolTelemetry.MeterName).AddReader(new PeriodicExportingMetricReader(new Nowhere<Metric>(), exportIntervalMilliseconds: 1_000)).Build();

    private static TracerProvider Traces(Sampler sampler) =>
        Sdk.CreateTracerProviderBuilder().AddSource(SandboxPoolTelemetry.ActivitySourceName).SetSampler(sampler).AddProcessor(new BatchActivityExportProcessor(new Nowhere<Activity>())).Build();

    private sealed class Nowhere<T> : BaseExporter<T>
        where T : class
    {
        public override ExportResult Export(in Batch<T> batch) => ExportResult.Success;
    }
}
