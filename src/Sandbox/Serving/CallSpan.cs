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
    /// <returns>As many spans as may travel.</returns>
    public SpanMessage[] End(bool succeeded)
    {
        var room = WireLimits.MaxSpanBytes;
        return [.. end(succeeded ? 0 : Failed).Take(WireLimits.MaxSpans).Select(ToMessage).TakeWhile(message => (room -= SizeOf(message)) >= 0)];
    }

    private static SpanMessage ToMessage(Span span) => new(
        Cut(span.Source), Cut(span.Name), span.Kind, span.Id, span.Parent, span.StartedAt, span.Duration, span.Status, Cut(span.StatusText), LogEntry.Tags(span.Tags),
        [.. span.Events.Take(WireLimits.MaxSpanEvents).Select(each => new SpanEventMessage(Cut(each.Name), each.At, LogEntry.Tags(each.Tags)))]);

    private static string Cut(string text) => LogEntry.Cut(text, WireLimits.MaxTagText);

    // At most: a character takes three bytes, a number or a length eight.
    private static int SizeOf(SpanMessage span) =>
        128 + SizeOf(span.Source) + SizeOf(span.Name) + SizeOf(span.StatusText) + SizeOf(span.Tags) + span.Events.Sum(each => 32 + SizeOf(each.Name) + SizeOf(each.Tags));

    private static int SizeOf(TagMessage[] tags) => tags.Sum(tag => 24 + SizeOf(tag.Name) + SizeOf(tag.Value as string ?? ""));

    private static int SizeOf(string text) => 3 * text.Length;
}
