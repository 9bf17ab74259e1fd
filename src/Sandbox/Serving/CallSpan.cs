using ProcessPool.Protocol;

namespace ProcessPool.Sandbox.Serving;

using Span = (string Source, string Name, int Kind, string Id, string Parent, long StartedAt, long Duration, int Status, string StatusText, KeyValuePair<string, object?>[] Tags, (string Name, long At, KeyValuePair<string, object?>[] Tags)[] Events);

/// <summary>The span of a call that executes.</summary>
/// <param name="enter">Makes it the current one.</param>
/// <param name="end">Ends it, with a status, and has the spans that were made in it, itself first.</param>
internal sealed class CallSpan(Action enter, Func<int, Span[]> end)
{
    private const int Failed = 2;

    /// <summary>What runs from here on is in it.</summary>
    public void Enter() => enter();

    /// <summary>Ends it.</summary>
    /// <param name="succeeded">Whether the call did.</param>
    /// <returns>As many spans as may travel. One for which there is no room goes without its tags and events, or not at all; its own goes.</returns>
    public SpanMessage[] End(bool succeeded)
    {
        var room = WireLimits.MaxSpanBytes;
        var messages = new List<SpanMessage>();
        foreach (var span in end(succeeded ? 0 : Failed).Take(WireLimits.MaxSpans).Select(ToMessage))
        {
            var fitting = span.MaxBytes <= room ? span : span with { StatusText = "", Tags = [], Events = [] };
            if (fitting.MaxBytes <= room)
            {
                room -= fitting.MaxBytes;
                messages.Add(fitting);
            }
        }

        return [.. messages];
    }

    private static SpanMessage ToMessage(Span span) => new(
        Tags.Cut(span.Source), Tags.Cut(span.Name), span.Kind, span.Id, span.Parent, span.StartedAt, span.Duration, span.Status, Tags.Cut(span.StatusText), Tags.Of(span.Tags),
        [.. span.Events.Take(WireLimits.MaxSpanEvents).Select(each => new SpanEventMessage(Tags.Cut(each.Name), each.At, Tags.Of(each.Tags)))]);
}
