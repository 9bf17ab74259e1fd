using System.Diagnostics;
using GreetingPlugin.Contract;
using OpenTelemetry;
using OpenTelemetry.Trace;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Telemetry;

/// <summary>What an application sees of its calls that uses the OpenTelemetry SDK: everything here went through its tracer and one of its exporters.</summary>
[Collection(nameof(Alone))]
public sealed class TraceTests : IDisposable
{
    private static readonly ActivitySource App = new("Tests.App");

    private static readonly string Tracing = PluginSource.Members("""
        static readonly System.Diagnostics.ActivitySource Spans = new("Acme.Pdf");

        [EntryPoint] public static int Render(int page)
        {
            using var outer = Spans.StartActivity("render-page", System.Diagnostics.ActivityKind.Producer);
            outer?.SetTag("page", page).SetTag("scale", 1.5).SetTag("draft", true).SetTag("who", "me");
            outer?.AddEvent(new("font substituted"));
            using (Spans.StartActivity("layout")) { }
            using (var inner = Spans.StartActivity("paint")) { inner?.SetStatus(System.Diagnostics.ActivityStatusCode.Error, "no ink"); }
            return page;
        }

        [EntryPoint] public static int Quiet(int x) => x + 1;
        [EntryPoint] public static int Odd(int x) { if (x % 2 == 1) { using var span = Spans.StartActivity("odd"); span?.SetTag("x", x); } return x; }
        [EntryPoint] public static int Throw(int x) { using var span = Spans.StartActivity("about to throw"); throw new InvalidOperationException("no"); }
        [EntryPoint] public static void Crash() => Environment.FailFast("gone");
        [EntryPoint] public static async IAsyncEnumerable<int> Count(int to) { for (var i = 0; i < to; i++) { using var span = Spans.StartActivity("item"); await Task.Yield(); yield return i; } }
        [EntryPoint] public static void Flood() { for (var i = 0; i < 1000; i++) { using var span = Spans.StartActivity("drop"); } }
        [EntryPoint] public static void Spoil() => System.Diagnostics.ActivitySource.AddActivityListener(new()
        {
            ShouldListenTo = source => source.Name == "ProcessPool",
            Sample = (ref System.Diagnostics.ActivityCreationOptions<System.Diagnostics.ActivityContext> _) => System.Diagnostics.ActivitySamplingResult.AllData,
            ActivityStarted = span => { if (span.DisplayName == "Quiet") throw new InvalidOperationException("a listener's fault"); },
            ActivityStopped = span => throw new InvalidOperationException("a listener's fault"),
        });

        [EntryPoint] public static async IAsyncEnumerable<int> Wait([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token) { yield return 1; await Task.Delay(-1, token); }
        static readonly TaskCompletionSource Gate = new();
        static Task Left = Task.CompletedTask;
        [EntryPoint] public static void LeaveBehind() => Left = Task.Run(async () => { await Gate.Task; using var span = Spans.StartActivity("left behind"); });
        [EntryPoint] public static async Task GoOn() { using var span = Spans.StartActivity("of this call"); Gate.SetResult(); await Left; }
        [EntryPoint] public static string Current() => System.Diagnostics.Activity.Current?.Id ?? "none";
        """, "Tracing");

    private readonly List<Activity> _ended = [];
    private readonly TracerProvider _tracer;

    public TraceTests() => _tracer = Sdk.CreateTracerProviderBuilder()
        .AddSource(SandboxPoolTelemetry.ActivitySourceName, App.Name, "Acme.*", "GreetingPlugin").AddInMemoryExporter(_ended).Build();

    public void Dispose() => _tracer.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_is_one_trace_across_both_processes_with_the_spans_of_the_plugin(bool debug)
    {
        await using var pool = await Pools.StartAsync(Tracing, debug: debug);
        using (var request = App.StartActivity("GET /render"))
        {
            Assert.Equal(3, await pool.InvokeAsync<int>("Render", [3]).Within("the call ends"));
            Assert.Same(request, Activity.Current);
        }

        var app = Single("GET /render");
        var client = Single("Render", ActivityKind.Client);
        var server = Single("Render", ActivityKind.Server);
        var outer = Single("render-page");
        Assert.All(_ended, span => Assert.Equal(app.TraceId, span.TraceId));
        Assert.Equal(app.SpanId, client.ParentSpanId);
        Assert.Equal(client.SpanId, server.ParentSpanId);
        Assert.Equal(server.SpanId, outer.ParentSpanId);
        Assert.Equal(outer.SpanId, Single("layout").ParentSpanId);
        Assert.Equal(outer.SpanId, Single("paint").ParentSpanId);
        Assert.Equal((ActivityStatusCode.Error, "no ink"), (Single("paint").Status, Single("paint").StatusDescription));
        Assert.Equal("Acme.Pdf", outer.Source.Name);
        Assert.Equal(ActivityKind.Producer, outer.Kind);
        Assert.Equal("font substituted", Assert.Single(outer.Events).Name);
        Assert.Equal((3L, 1.5, true, "me"), (Convert.ToInt64(outer.GetTagItem("page"), null), outer.GetTagItem("scale"), outer.GetTagItem("draft"), outer.GetTagItem("who")));
        Assert.Equal(("jsonrpc", "Render", "test"), (client.GetTagItem("rpc.system.name"), client.GetTagItem("rpc.method"), client.GetTagItem("processpool.pool.name")));
        Assert.Equal("test-0", client.GetTagItem("processpool.worker.name"));
        Assert.True(app.StartTimeUtc <= client.StartTimeUtc && client.StartTimeUtc <= server.StartTimeUtc && server.StartTimeUtc <= outer.StartTimeUtc, "Expected every span to begin after its parent.");
        Assert.True(_ended.Count == 6, $"Expected no span but these six, none for what telemetry itself sends: {string.Join(", ", _ended.Select(span => span.DisplayName))}.");
    }

    [Fact]
    public async Task Log_lines_and_spans_of_a_plugin_make_no_spans_of_their_own()
    {
        await using var pool = await Pools.StartAsync(Path.Combine(Repository.Plugins, "GreetingPlugin"));
        await pool.GetProxy<IGreeter>().GreetAsync("Ada").Within("the call ends");
        Assert.Equal(["IGreeter.GreetAsync", "IGreeter.GreetAsync", "greet"], _ended.Select(span => span.DisplayName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_fails_says_so_in_its_span()
    {
        await using var pool = await Pools.StartAsync(Tracing);
        await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync<int>("Throw", [1]).Within("the call ends"));
        var thrown = Single("Throw", ActivityKind.Client);
        Assert.Equal((ActivityStatusCode.Error, "plugin"), (thrown.Status, thrown.GetTagItem("error.type")));
        Assert.Equal(ActivityStatusCode.Error, Single("Throw", ActivityKind.Server).Status);
        Assert.Equal(Single("Throw", ActivityKind.Server).SpanId, Single("about to throw").ParentSpanId);

        await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync("Crash").Within("the call ends"));
        var crashed = Single("Crash");
        Assert.Equal((ActivityStatusCode.Error, "crash", 134, "SIGABRT"), (crashed.Status, crashed.GetTagItem("error.type"), crashed.GetTagItem("process.exit.code"), crashed.GetTagItem("processpool.worker.exit.signal")));

        await Assert.ThrowsAsync<CallArgumentException>(() => pool.InvokeAsync("NoSuch").Within("the call ends"));
        Assert.Equal("argument", Single("NoSuch").GetTagItem("error.type"));
    }

    [Fact]
    public async Task A_map_is_one_span_and_its_items_show_what_the_plugin_shows()
    {
        await using var pool = await Pools.StartAsync(Tracing);
        await foreach (var outcome in pool.MapAsync<int, int>("Quiet", Enumerable.Range(0, 2000)))
        {
            Assert.Null(outcome.Error);
            Assert.Null(Activity.Current);
        }

        Assert.Equal(ActivityKind.Client, Single("map Quiet").Kind);

        // The first ones went alone, until it was known how short they are.
        Assert.True(_ended.Count(span => span is { DisplayName: "Quiet", Kind: ActivityKind.Client }) < 2000, "Expected no span of a call that went together with others.");
        Assert.All(_ended.Where(span => span is { DisplayName: "Quiet", Kind: ActivityKind.Client }), span => Assert.Equal(Single("map Quiet").SpanId, span.ParentSpanId));

        _ended.Clear();
        await foreach (var outcome in pool.MapAsync<int, int>("Odd", Enumerable.Range(0, 200)))
        {
            Assert.Equal(outcome.Index, outcome.Value);
        }

        var map = Single("map Odd");
        var odd = _ended.Where(span => span.DisplayName == "odd").ToList();
        Assert.Equal(100, odd.Count);
        Assert.All(odd, span => Assert.Equal(map.TraceId, span.TraceId));
        Assert.All(odd, span => Assert.Contains(_ended, parent => parent.SpanId == span.ParentSpanId));
    }

    [Fact]
    public async Task A_stream_is_one_span_and_more_spans_than_fit_are_counted()
    {
        await using var pool = await Pools.StartAsync(Tracing);
        var sum = 0;
        await foreach (var item in pool.StreamAsync<int>("Count", [5]))
        {
            sum += item;
        }

        Assert.Equal(10, sum);
        var server = Single("Count", ActivityKind.Server);
        Assert.Equal(Single("Count", ActivityKind.Client).SpanId, server.ParentSpanId);
        Assert.Equal(5, _ended.Count(span => span.DisplayName == "item" && span.ParentSpanId == server.SpanId));

        await pool.InvokeAsync("Flood").Within("the call ends");
        Assert.Equal(127, _ended.Count(span => span.DisplayName == "drop"));
        Assert.Equal(873L, Single("Flood", ActivityKind.Server).GetTagItem("processpool.spans.dropped"));
    }

    [Fact]
    public async Task A_stream_that_is_cancelled_or_cannot_be_read_says_so_in_its_span()
    {
        await using var pool = await Pools.StartAsync(Tracing);
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReadAsync(pool.StreamAsync<int>("Wait", cancellationToken: cancel.Token), cancel.Cancel).Within("the stream ends"));
        Assert.Equal("cancelled", Single("Wait", ActivityKind.Client).GetTagItem("error.type"));
        await Assert.ThrowsAsync<CallArgumentException>(() => ReadAsync(pool.StreamAsync<Guid>("Count", [1]), () => { }).Within("the stream ends"));
        Assert.Equal("argument", Single("Count", ActivityKind.Client).GetTagItem("error.type"));

        static async Task ReadAsync<T>(IAsyncEnumerable<T> items, Action onItem)
        {
            await foreach (var _ in items)
            {
                onItem();
            }
        }
    }

    [Fact]
    public async Task What_a_call_leaves_behind_is_not_shown_beneath_another_call_of_the_same_trace()
    {
        await using var pool = await Pools.StartAsync(Tracing);
        using (App.StartActivity("GET /both"))
        {
            await pool.InvokeAsync("LeaveBehind").Within("the call ends");
            await pool.InvokeAsync("GoOn").Within("the call ends");
        }

        Assert.Equal(Single("GoOn", ActivityKind.Server).SpanId, Single("of this call").ParentSpanId);
        Assert.DoesNotContain(_ended, span => span.DisplayName == "left behind");
    }

    [Fact]
    public async Task A_listener_of_the_plugin_that_throws_fails_no_call()
    {
        await using var pool = await Pools.StartAsync(Tracing);
        await pool.InvokeAsync("Spoil").Within("the call ends");
        Assert.Equal(2, await pool.InvokeAsync<int>("Quiet", [1]).Within("the call ends"));
        Assert.Equal(3, await pool.InvokeAsync<int>("Render", [3]).Within("the call ends"));
        Assert.Empty(pool.Counts.Exits.ToString());
    }

    [Fact]
    public async Task A_plugin_with_a_newer_version_of_the_tracing_library_is_traced_too()
    {
        await using var pool = await Pools.StartAsync(Repository.Fixture("DiagnosticsNewer"));
        Assert.Equal("11", await pool.InvokeAsync<string>("Render").Within("the call ends"));
        Assert.Equal(Single("Render", ActivityKind.Server).SpanId, Single("newer").ParentSpanId);
    }

    [Fact]
    public async Task Without_a_listener_a_plugin_is_not_traced()
    {
        _tracer.Dispose();
        await using var pool = await Pools.StartAsync(Tracing);
        Assert.Equal("none", await pool.InvokeAsync<string>("Current").Within("the call ends"));
    }

    private Activity Single(string name, ActivityKind? kind = null)
    {
        var found = _ended.Where(span => span.DisplayName == name && (kind is null || span.Kind == kind)).ToList();
        Assert.True(found.Count == 1, $"Expected one span '{name}' ({kind}), but there are: {string.Join(", ", _ended.Select(span => $"{span.DisplayName} ({span.Kind})"))}.");
        return found[0];
    }
}
