using System.Diagnostics;
using ProcessPool.Protocol.Transport;

namespace ProcessPool.Protocol;

/// <summary>The span that a call is part of, as W3C Trace Context writes it (https://www.w3.org/TR/trace-context/).</summary>
/// <param name="Id">The <c>traceparent</c>.</param>
/// <param name="State">The <c>tracestate</c>, or "".</param>
internal sealed record TraceParent(string Id, string State)
{
    /// <summary>The span itself, in the process that has it. Does not travel.</summary>
    public Activity? Activity { get; private init; }

    /// <summary>Of a span that is wanted; otherwise null.</summary>
    public static TraceParent? Of(Activity? activity) =>
        activity is { Recorded: true, IdFormat: ActivityIdFormat.W3C, Id: { } id } ? new(id, activity.TraceStateString ?? "") { Activity = activity } : null;

    public static void Write(WireWriter writer, TraceParent parent)
    {
        writer.String(parent.Id);
        writer.String(parent.State);
    }

    public static TraceParent Read(ref WireReader reader) => new(reader.String(), reader.String());

    public static void WriteOptional(WireWriter writer, TraceParent? parent) => writer.Optional(parent, Write);

    public static TraceParent? ReadOptional(ref WireReader reader) => reader.Optional(Read);
}

/// <summary>A span that ended in the sandbox.</summary>
/// <param name="Source">The name of its <see cref="ActivitySource"/>.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Kind">An <see cref="ActivityKind"/>.</param>
/// <param name="Id">Its id there: 16 hexadecimal digits.</param>
/// <param name="Parent">Its parent's id there, or "".</param>
/// <param name="StartedAt">When it began: UTC, in ticks.</param>
/// <param name="Duration">In ticks.</param>
/// <param name="Status">An <see cref="ActivityStatusCode"/>.</param>
/// <param name="StatusText">What is said of that, or "".</param>
/// <param name="Tags">Its tags.</param>
/// <param name="Events">Its events.</param>
internal sealed record SpanMessage(
    string Source, string Name, int Kind, string Id, string Parent, long StartedAt, long Duration, int Status, string StatusText, TagMessage[] Tags, SpanEventMessage[] Events)
{
    /// <summary>How many bytes it takes at most.</summary>
    public int MaxBytes =>
        128 + TagMessage.MaxBytesOf(Source) + TagMessage.MaxBytesOf(Name) + TagMessage.MaxBytesOf(StatusText) + TagMessage.MaxBytesOf(Tags)
        + Events.Sum(each => 32 + TagMessage.MaxBytesOf(each.Name) + TagMessage.MaxBytesOf(each.Tags));

    public static void WriteAll(WireWriter writer, SpanMessage[] spans) => writer.List(spans, Write);

    public static SpanMessage[] ReadAll(ref WireReader reader) => reader.List(Read, WireLimits.MaxSpans);

    private static void Write(WireWriter writer, SpanMessage span)
    {
        writer.String(span.Source);
        writer.String(span.Name);
        writer.Int32(span.Kind);
        writer.String(span.Id);
        writer.String(span.Parent);
        writer.Int64(span.StartedAt);
        writer.Int64(span.Duration);
        writer.Int32(span.Status);
        writer.String(span.StatusText);
        TagMessage.WriteAll(writer, span.Tags);
        writer.List(span.Events, SpanEventMessage.Write);
    }

    private static SpanMessage Read(ref WireReader reader) => new(
        reader.String(), reader.String(), reader.Int32(), reader.String(), reader.String(), reader.Int64(), reader.Int64(), reader.Int32(), reader.String(),
        TagMessage.ReadAll(ref reader), reader.List(SpanEventMessage.Read, WireLimits.MaxSpanEvents));
}

/// <summary>Something that happened in a span.</summary>
/// <param name="Name">What.</param>
/// <param name="At">When: UTC, in ticks.</param>
/// <param name="Tags">Its tags.</param>
internal sealed record SpanEventMessage(string Name, long At, TagMessage[] Tags)
{
    public static void Write(WireWriter writer, SpanEventMessage message)
    {
        writer.String(message.Name);
        writer.Int64(message.At);
        TagMessage.WriteAll(writer, message.Tags);
    }

    public static SpanEventMessage Read(ref WireReader reader) => new(reader.String(), reader.Int64(), TagMessage.ReadAll(ref reader));
}

/// <summary>A name and a value: a text, a number, or yes or no.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">A <see cref="string"/>, <see cref="long"/>, <see cref="double"/> or <see cref="bool"/>.</param>
internal readonly record struct TagMessage(string Name, object Value)
{
    private const byte Text = 0;
    private const byte Whole = 1;
    private const byte Real = 2;
    private const byte YesOrNo = 3;

    /// <summary>How many bytes tags take at most: a number or a length takes eight.</summary>
    public static int MaxBytesOf(TagMessage[] tags) => tags.Sum(tag => 24 + MaxBytesOf(tag.Name) + MaxBytesOf(tag.Value as string ?? ""));

    /// <summary>How many bytes a text takes at most: a character takes three.</summary>
    public static int MaxBytesOf(string text) => 3 * text.Length;

    public static void WriteAll(WireWriter writer, TagMessage[] tags) => writer.List(tags, Write);

    public static TagMessage[] ReadAll(ref WireReader reader) => reader.List(Read, WireLimits.MaxTags);

    private static void Write(WireWriter writer, TagMessage tag)
    {
        writer.String(tag.Name);
        switch (tag.Value)
        {
            case long number:
                writer.Byte(Whole);
                writer.Int64(number);
                break;
            case double number:
                writer.Byte(Real);
                writer.Int64(BitConverter.DoubleToInt64Bits(number));
                break;
            case bool yes:
                writer.Byte(YesOrNo);
                writer.Bool(yes);
                break;
            default:
                writer.Byte(Text);
                writer.String((string)tag.Value);
                break;
        }
    }

    private static TagMessage Read(ref WireReader reader) => new(reader.String(), reader.Byte() switch
    {
        Text => reader.String(),
        Whole => reader.Int64(),
        Real => BitConverter.Int64BitsToDouble(reader.Int64()),
        YesOrNo => (object)reader.Bool(),
        var kind => throw new InvalidDataException($"There is no tag of kind {kind}."),
    });
}
