using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Sandbox.Serving;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Unit.Tests.Sandbox;

using Span = (string Source, string Name, int Kind, string Id, string Parent, long StartedAt, long Duration, int Status, string StatusText, KeyValuePair<string, object?>[] Tags, (string Name, long At, KeyValuePair<string, object?>[] Tags)[] Events);

/// <summary>Whatever a plugin logs or traces fits into the message in which it travels.</summary>
public sealed class TravellingTests
{
    private static readonly string Long = new('\u65e5', 100_000);

    private static readonly KeyValuePair<string, object?>[] Many = [.. Enumerable.Range(0, 1000).Select(number => new KeyValuePair<string, object?>($"{number}{Long}", Long))];

    [Fact]
    public void The_longest_log_entry_fits_into_a_control_message_with_the_text_of_every_scope()
    {
        var entry = LogEntry.Of(
            new PluginLogRecord(PluginLogLevel.Error, Long) { Category = Long, EventName = Long, Exception = new InvalidOperationException(Long), Properties = Many, Scopes = [.. Enumerable.Repeat<object>(new Scope(), 100)] }, 1);
        var writer = new WireWriter();
        WireFormatter.Write(writer, new JsonRpcResult { RequestId = new StreamJsonRpc.RequestId(1), Result = entry });
        Assert.InRange(writer.Written.Length, 1, WireLimits.MaxControlMessageBytes);
        Assert.Equal(WireLimits.MaxLogScopes, entry.Scopes.Length);
        Assert.All(entry.Scopes, scope => Assert.Equal("a scope", scope.Text));
        Assert.Equal(WireLimits.MaxTags, entry.Properties.Length);
        Assert.Equal(WireLimits.MaxTags, entry.Scopes[0].Properties.Length);
        Assert.Empty(entry.Scopes[^1].Properties);
    }

    [Fact]
    public void A_span_that_is_too_large_hides_no_other()
    {
        var large = Made("large") with { Events = [.. Enumerable.Repeat(("e", 0L, Many), 16)] };
        var sent = new CallSpan(() => { }, _ => [large with { Name = "own" }, Made("a"), large, Made("b")]).End(succeeded: true);
        Assert.Equal(["own", "a", "large", "b"], sent.Select(span => span.Name));
        Assert.Equal([0, 0], new[] { sent[0].Events.Length, sent[2].Events.Length });
        Assert.Equal("kept", Assert.Single(sent[1].Tags).Value);
    }

    private static Span Made(string name) => ("s", name, 0, "1", "", 0, 0, 0, "", [new("k", "kept")], []);

    private sealed class Scope : List<KeyValuePair<string, object?>>
    {
        public Scope()
            : base(Many)
        {
        }

        public override string ToString() => "a scope";
    }
}
