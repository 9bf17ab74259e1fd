using System.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Telemetry;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Unit.Tests.Host.Telemetry;

/// <summary>What a sandbox says of its spans may be anything.</summary>
public sealed class SpanReplayTests : IDisposable
{
    private static readonly FaultSite Site = new("p", "p-0", 4711);

    private readonly Activity _call = new Activity("call").SetIdFormat(ActivityIdFormat.W3C);
    private readonly List<Activity> _ended = [];
    private readonly PluginSources _sources = new();
    private readonly ActivityListener _listener;

    public SpanReplayTests()
    {
        _call.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        _call.Start();

        // Of this trace alone: other tests make calls meanwhile.
        _listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) => options.Parent.TraceId == _call.TraceId ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = activity =>
            {
                if (activity.TraceId == _call.TraceId)
                {
                    _ended.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _sources.Close();
        _call.Dispose();
    }

    [Fact]
    public void Children_that_come_before_their_parent_and_parents_that_do_not_exist_hang_beneath_the_call()
    {
        SpanReplay.Run(_call, [Span("own", "a", "nobody"), Span("child", "c", "b"), Span("parent", "b", "a"), Span("orphan", "d", "x"), Span("own parent", "e", "e")], Site, _sources);
        Assert.Equal(_call.SpanId, Of("own").ParentSpanId);
        Assert.All(["child", "parent", "orphan", "own parent"], name => Assert.Equal(Of("own").SpanId, Of(name).ParentSpanId));
        Assert.Same(_call, Activity.Current);
    }

    [Fact]
    public void Names_times_and_kinds_are_made_to_fit()
    {
        var long_ = new string('x', 20_000) + "\u001b[31m";
        SpanReplay.Run(
            _call,
            [
                Span("own", "a", ""),
                Span("", "", "") with { Source = "", Kind = 99, Status = 77, StartedAt = long.MinValue, Duration = long.MaxValue, StatusText = long_ },
                Span("late\nforged", "c", "a") with { Kind = -1, StartedAt = long.MaxValue, Duration = long.MinValue, Tags = [new("k\u0007", long_), new("", "")], Events = [new("e\r\n", long.MaxValue, [])] },
            ],
            Site, _sources);
        var now = DateTime.UtcNow;
        Assert.Equal(3, _ended.Count);
        Assert.All(_ended, span => Assert.True(span.StartTimeUtc >= _call.StartTimeUtc && span.StartTimeUtc + span.Duration <= now, $"Expected '{span.DisplayName}' to be within its call."));
        Assert.Equal((ActivityKind.Internal, ActivityStatusCode.Unset), (Of("").Kind, Of("").Status));
        var late = _ended[2];
        Assert.DoesNotContain(late.DisplayName, char.IsControl);
        Assert.All(late.TagObjects, tag => Assert.True(tag.Key.All(letter => !char.IsControl(letter)) && ((string)tag.Value!).Length <= WireLimits.MaxTagText, "Expected clean names, and values that are cut."));
        Assert.Equal(4711, Of("own").GetTagItem("process.pid"));
    }

    [Fact]
    public void A_clock_that_was_set_back_and_a_listener_that_throws_fail_no_call()
    {
        _call.SetStartTime(DateTime.UtcNow.AddHours(1));
        SpanReplay.Run(_call, [Span("own", "a", ""), Span("child", "b", "a")], Site, _sources);
        Assert.All(_ended, span => Assert.Equal((_call.StartTimeUtc, TimeSpan.FromTicks(1)), (span.StartTimeUtc, span.Duration)));
        using var throwing = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Throwing",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => throw new InvalidOperationException("An exporter's fault."),
        };
        ActivitySource.AddActivityListener(throwing);
        SpanReplay.Run(_call, [Span("own", "a", ""), Span("child", "b", "a") with { Source = "Throwing" }], Site, _sources);
        Assert.Same(_call, Activity.Current);
    }

    [Fact]
    public void A_sandbox_makes_a_bounded_number_of_sources()
    {
        for (var i = 0; i < 10; i++)
        {
            SpanReplay.Run(_call, [Span("own", "a", ""), .. Enumerable.Range(0, 100).Select(number => Span("s", $"{number}", "a") with { Source = $"Hostile.{i}.{number}" })], Site, _sources);
        }

        Assert.Equal(1 + PluginSources.MaxSources, _ended.Select(span => span.Source.Name).Distinct().Count());
    }

    [Fact]
    public void The_sources_of_a_pool_go_with_it()
    {
        var source = _sources.Find("Hostile")!;
        Assert.True(source.HasListeners());
        _sources.Close();
        Assert.False(source.HasListeners());
        Assert.Null(_sources.Find("Hostile"));
        _sources.Open();
        Assert.True(_sources.Find("Hostile")!.HasListeners());
    }

    [Fact]
    public void No_more_is_kept_of_a_reply_than_a_sandbox_of_ours_sends()
    {
        var megabyte = Span("large", "b", "a") with { Tags = [new("k", new string('x', 1 << 20))] };
        SpanReplay.Run(_call, [Span("own", "a", ""), megabyte, Span("after", "c", "a")], Site, _sources);
        Assert.Equal(["own"], _ended.Select(span => span.DisplayName));
    }

    [Fact]
    public void More_spans_than_there_may_be_are_no_message()
    {
        var writer = new WireWriter();
        WireFormatter.Write(writer, new JsonRpcResult { RequestId = new RequestId(1), Result = new CallReply(CallStatus.Succeeded, default, [], null) { Spans = [.. Enumerable.Range(0, WireLimits.MaxSpans + 1).Select(_ => Span("s", "a", ""))] } });
        Assert.Throws<InvalidDataException>(() => WireFormatter.Read(writer.Written.Span));
    }

    [Fact]
    public void Spans_and_records_travel_as_they_are()
    {
        var span = Span("s", "a", "b") with { Kind = 3, Status = 2, StatusText = "no", Tags = [new("t", "text"), new("n", 7L), new("r", 1.5), new("y", true)], Events = [new("e", 8, [new("k", "v")])] };
        var reply = (CallReply)RoundTrip(new CallReply(CallStatus.Succeeded, default, [], null) { Spans = [span] });
        Assert.Equivalent(span, Assert.Single(reply.Spans!), strict: true);
        var entry = new PluginLogEntry(3, "c", "m", "x") { CallId = 5, EventId = 7, EventName = "n", Properties = [new("Name", "Ada")], Scopes = [new("s", [new("k", 1L)])] };
        Assert.Equivalent(entry, RoundTrip(entry), strict: true);
        Assert.Equivalent(new TraceParent("00-1", "a=b"), ((CallRequest)RoundTrip(new CallRequest(1, "e", default, []) { Trace = new("00-1", "a=b") })).Trace, strict: true);
        var chunk = CallChunk.Of([new(1, "e", "1"u8.ToArray(), []), new(2, "e", "22"u8.ToArray(), []) { Trace = new("00-2", "") }]);
        Assert.Equivalent(new[] { null, new TraceParent("00-2", "") }, ((CallChunk)RoundTrip(chunk)).Traces, strict: true);
    }

    private static object RoundTrip(object value)
    {
        var writer = new WireWriter();
        WireFormatter.Write(writer, new JsonRpcResult { RequestId = new RequestId(1), Result = value });
        return ((JsonRpcResult)WireFormatter.Read(writer.Written.Span)).Result!;
    }

    private Activity Of(string name) => Assert.Single(_ended, span => span.DisplayName == name);

    private static SpanMessage Span(string name, string id, string parent) => new("Hostile", name, 0, id, parent, 0, 0, 0, "", [], []);
}
