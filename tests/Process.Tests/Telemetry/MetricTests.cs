using OpenTelemetry;
using OpenTelemetry.Metrics;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Telemetry;

/// <summary>What an application measures that uses the OpenTelemetry SDK.</summary>
[Collection(nameof(Alone))]
public sealed class MetricTests
{
    private static readonly string Plugin = PluginSource.Members("""
        [EntryPoint] public static int Double(int x) => 2 * x;
        [EntryPoint] public static int Throw(int x) => throw new InvalidOperationException("no");
        [EntryPoint] public static void Crash() => Environment.FailFast("gone");
        [EntryPoint] public static void Hang() => Thread.Sleep(Timeout.Infinite);
        """, "Measured");

    [Fact]
    public async Task Calls_workers_exits_and_processes_are_measured_by_their_names()
    {
        var exported = new List<Metric>();
        using var meter = Sdk.CreateMeterProviderBuilder().AddMeter(SandboxPoolTelemetry.MeterName).AddInMemoryExporter(exported).Build();
        var options = Pools.Options(Plugin, workers: 2);
        options.Name = "measured";
        await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
        await pool.InvokeAsync<int>("Double", [1]).Within("the call ends");
        await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync<int>("Throw", [1]).Within("the call ends"));
        await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync("Crash").Within("the call ends"));
        await Assert.ThrowsAsync<CallTimeoutException>(() => pool.InvokeAsync("Hang", null, new CallOptions { Timeout = TimeSpan.FromMilliseconds(50) }).Within("the call ends"));
        await Until.HoldsAsync(
            () =>
            {
                meter.ForceFlush();
                return Count("processpool.worker.start.duration") == 4 && Sum("processpool.worker.count", ("processpool.worker.state", "idle")) == 2;
            },
            "both workers are replaced");
        Assert.Equal(2, Sum("processpool.worker.count"));
        Assert.Equal(2, Sum("processpool.worker.count", ("processpool.worker.state", "idle")));
        Assert.Equal(0, Sum("processpool.request.pending"));
        Assert.Equal(4, Count("processpool.worker.start.duration"));
        Assert.Equal(1, Sum("processpool.worker.exits", ("processpool.worker.exit.reason", "crash"), ("process.exit.code", 134), ("processpool.worker.exit.signal", "SIGABRT")));
        Assert.Equal(1, Sum("processpool.worker.exits", ("processpool.worker.exit.reason", "timeout")));
        Assert.Equal(1, Count("processpool.client.operation.duration", ("rpc.method", "Double"), ("error.type", null)));
        Assert.Equal(1, Count("processpool.client.operation.duration", ("rpc.method", "Throw"), ("error.type", "plugin")));
        Assert.Equal(1, Count("processpool.client.operation.duration", ("rpc.method", "Crash"), ("error.type", "crash")));
        Assert.Equal(1, Count("processpool.client.operation.duration", ("rpc.method", "Hang"), ("error.type", "timeout")));
        Assert.Equal(4, Count("processpool.request.wait_time"));
        Assert.Equal(2, Points("process.memory.usage").Count());
        Assert.All(Points("process.memory.usage"), point => Assert.True(point.GetSumLong() > 10_000_000, $"Expected the memory of a process, not {point.GetSumLong()} bytes."));
        Assert.All(Points("process.cpu.time"), point => Assert.True(point.GetSumDouble() > 0, "Expected processor time."));
        Assert.Equal(0.0001, Points("processpool.client.operation.duration").First().GetHistogramBuckets().GetEnumerator() is var buckets && buckets.MoveNext() ? buckets.Current.ExplicitBound : 0);

        await pool.StopAsync().Within("the pool stops");
        meter.ForceFlush();
        Assert.Equal(2, Sum("processpool.worker.exits", ("processpool.worker.exit.reason", "shutdown")));

        // The last export of each metric: the exporter keeps all.
        IEnumerable<MetricPoint> Points(string name, params (string Key, object? Value)[] tags)
        {
            var points = new List<MetricPoint>();
            foreach (ref readonly var point in exported.Last(metric => metric.Name == name).GetMetricPoints())
            {
                points.Add(point);
            }

            return points.Where(point => TagOf(point, "processpool.pool.name") is "measured" && tags.All(tag => Equals(TagOf(point, tag.Key), tag.Value)));
        }

        long Sum(string name, params (string Key, object? Value)[] tags) => Points(name, tags).Sum(point => point.GetSumLong());

        long Count(string name, params (string Key, object? Value)[] tags) => Points(name, tags).Sum(point => point.GetHistogramCount());
    }

    private static object? TagOf(MetricPoint point, string key)
    {
        foreach (var tag in point.Tags)
        {
            if (tag.Key == key)
            {
                return tag.Value;
            }
        }

        return null;
    }
}
