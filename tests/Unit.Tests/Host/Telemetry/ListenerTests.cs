using System.Diagnostics;
using System.Diagnostics.Metrics;
using ProcessPool.Protocol;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host.Telemetry;

/// <summary>Whoever listens runs in the middle of calls: nothing that goes wrong there, and nothing that a sandbox says, is the calls' fault.</summary>
public sealed class ListenerTests
{
    private static readonly string Plugin = PluginSource.Members("[EntryPoint] public static int Do() => 1; [EntryPoint] public static IAsyncEnumerable<int> Items() => null;", "Listened");

    [Fact]
    public async Task A_listener_that_throws_fails_no_call()
    {
        using var spans = Spans(started: _ => throw new InvalidOperationException("an exporter's fault"), stopped: _ => { });
        using var alsoSpans = Spans(started: _ => { }, stopped: _ => throw new InvalidOperationException("an exporter's fault"));
        using var metrics = new MeterListener { InstrumentPublished = (instrument, listener) => Enable(instrument, listener) };
        metrics.SetMeasurementEventCallback<double>((_, _, _, _) => throw new InvalidOperationException("a reader's fault"));
        metrics.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException("a reader's fault"));
        metrics.Start();
        await using var pool = new SandboxPool(Options("throwing"), (_, _, _) => Answering(new CallReply(CallStatus.Succeeded, "1"u8.ToArray(), [], null)));
        await pool.StartAsync().Within("the pool starts");
        var before = Activity.Current;
        Assert.Equal(1, await pool.InvokeAsync<int>("Do").Within("the call ends"));
        Assert.Equal(1, await pool.InvokeAsync<int>("Do").Within("the next one too"));
        Assert.Same(before, Activity.Current);
        await Assert.ThrowsAsync<CallArgumentException>(() => pool.InvokeAsync<int>("NoSuch").Within("the call ends"));

        static void Enable(Instrument instrument, MeterListener listener)
        {
            if (instrument.Meter.Name == SandboxPoolTelemetry.MeterName)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        }
    }

    [Fact]
    public async Task What_a_sandbox_says_of_an_error_is_cut_and_clean_in_the_span()
    {
        var ended = new List<Activity>();
        using var spans = Spans(_ => { }, span => ended.Add(span), pool: "endless");
        await using var pool = new SandboxPool(Options("endless"), (_, _, _) => Answering(new CallReply(CallStatus.PluginThrew, default, [], new RemoteError("T", "\u001b[31m" + new string('x', 1_000_000), "", null))));
        await pool.StartAsync().Within("the pool starts");
        await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync<int>("Do").Within("the call ends"));
        var text = Assert.Single(ended).StatusDescription!;
        Assert.InRange(text.Length, 1, WireLimits.MaxErrorMessage);
        Assert.DoesNotContain('\u001b', text);
    }

    [Fact]
    public async Task A_batch_is_not_traced_when_nobody_listens_to_pools()
    {
        // Others of this process's tests may listen: then it is.
        var traced = 0;
        await using var pool = new SandboxPool(Options("quiet"), (_, _, _) => new FakeLauncher(_ => Task.FromResult<ProcessPool.Workers.IWorker>(new FakeWorker("quiet")
        {
            OnInvoke = (request, _) =>
            {
                traced += request.Trace is null ? 0 : 1;
                return Task.FromResult(new CallReply(CallStatus.Succeeded, "1"u8.ToArray(), [], null));
            },
        })));
        await pool.StartAsync().Within("the pool starts");
        Assert.SkipWhen(ProcessPool.Telemetry.CallTrace.IsListenedTo, "Another test listens to pools just now.");
        using var request = new Activity("request").SetIdFormat(ActivityIdFormat.W3C);
        request.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        request.Start();
        var batch = pool.CreateBatch<int>(20);
        for (var i = 0; i < 20; i++)
        {
            await batch.AddAsync("Do").Within("there is room");
        }

        await batch.WaitAsync().Within("the batch ends");
        Assert.Equal(0, traced);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(500)]
    public async Task Each_item_of_a_map_that_is_broken_off_is_counted_once(int answered)
    {
        var begun = 0;
        var worker = new FakeWorker("w") { OnInvoke = (_, _) => Interlocked.Increment(ref begun) <= answered ? Task.FromResult(new CallReply(CallStatus.Succeeded, "1"u8.ToArray(), [], null)) : new TaskCompletionSource<CallReply>().Task };
        await using var pool = new SandboxPool(Options("broken off"), (_, _, _) => new FakeLauncher(_ => Task.FromResult<ProcessPool.Workers.IWorker>(worker)));
        await pool.StartAsync().Within("the pool starts");
        var outcomes = new List<CallOutcome<int>>();
        var map = Task.Run(async () =>
        {
            await foreach (var outcome in pool.MapAsync<int, int>("Do", Enumerable.Range(0, 100_000)))
            {
                outcomes.Add(outcome);
            }
        });
        await Until.HoldsAsync(() => Volatile.Read(ref begun) > answered && pool.Version!.Supervisor.Queue.Count > 0, "one item executes, and others wait");
        await pool.StopAsync(drain: false).Within("the pool stops");
        await Assert.ThrowsAsync<CallRejectedException>(() => map.Within("the map ends"));
        Assert.Equal((outcomes.Count, outcomes.Count(outcome => outcome.Error is not null)), (pool.Counts.Ended, pool.Counts.Failed));
    }

    private static SandboxPoolOptions Options(string name) => new() { Plugin = Plugin, Name = name, Workers = 1 };

    private static FakeLauncher Answering(CallReply reply) => new(_ => Task.FromResult<ProcessPool.Workers.IWorker>(new FakeWorker("w") { OnInvoke = (_, _) => Task.FromResult(reply) }));

    // Of one pool's spans alone: other tests make calls meanwhile.
    private static ActivityListener Spans(Action<Activity> started, Action<Activity> stopped, string pool = "throwing")
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == SandboxPoolTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) => IsOf(options.Tags ?? []) ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStarted = activity => Tell(activity, started),
            ActivityStopped = activity => Tell(activity, stopped),
        };
        ActivitySource.AddActivityListener(listener);
        return listener;

        void Tell(Activity activity, Action<Activity> tell)
        {
            if (IsOf(activity.TagObjects))
            {
                tell(activity);
            }
        }

        bool IsOf(IEnumerable<KeyValuePair<string, object?>> tags) => tags.Any(tag => tag.Key == "processpool.pool.name" && Equals(tag.Value, pool));
    }
}
