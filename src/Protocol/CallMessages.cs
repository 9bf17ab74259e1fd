using System.Runtime.InteropServices;
using ProcessPool.Protocol.Transport;

namespace ProcessPool.Protocol;

/// <summary>The envelope of a call.</summary>
/// <param name="Id">Unique within the pool.</param>
/// <param name="EntryPoint">The entry point's name, case-sensitive.</param>
/// <param name="Payload">The arguments as UTF-8 JSON: an array (by position) or an object (by name).</param>
/// <param name="Attachments">The byte arrays that the payload refers to by index.</param>
/// <param name="Measure">Whether the reply is to say what the call used.</param>
internal sealed record CallRequest(long Id, string EntryPoint, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool Measure = false)
{
    public const byte Tag = 10;

    /// <summary>What <see cref="Mailbox.Put"/> said, when <see cref="Attachments"/> are not all.</summary>
    public int[] InMailbox { get; init; } = [];

    /// <summary>The span that it is part of; null: it is not traced.</summary>
    public TraceParent? Trace { get; init; }

    public void Write(WireWriter writer)
    {
        writer.Int64(Id);
        writer.String(EntryPoint);
        writer.Bytes(Payload);
        writer.Attachments(Attachments);
        writer.Bool(Measure);
        writer.Array<int>(InMailbox);
        writer.Optional(Trace, TraceParent.Write);
    }

    public static CallRequest Read(ref WireReader reader) =>
        new(reader.Int64(), reader.String(), reader.Bytes(), reader.Attachments(), reader.Bool()) { InMailbox = reader.Array<int>(), Trace = reader.Optional(TraceParent.Read) };
}

/// <summary>
/// Calls of one entry point to be run one after the other, each answered by itself as if it had come alone: the reply of the first has the request's id, the next
/// ones those that follow. Without attachments, and not measured.
/// </summary>
/// <param name="EntryPoint">The entry point's name.</param>
/// <param name="Ids">Each call's.</param>
/// <param name="Ends">Where each call's arguments end in <paramref name="Payloads"/>; they begin where those before it end.</param>
/// <param name="Payloads">The arguments of all.</param>
internal sealed record CallChunk(string EntryPoint, long[] Ids, int[] Ends, ReadOnlyMemory<byte> Payloads)
{
    public const byte Tag = 17;

    public ReadOnlyMemory<byte> PayloadOf(int index) => Payloads[(index == 0 ? 0 : Ends[index - 1])..Ends[index]];

    /// <summary>The span that all are part of, which show only what the plugin shows; null: none.</summary>
    public TraceParent? Trace { get; init; }

    /// <summary>Each call's own span; null for one that is not traced. Empty: none is.</summary>
    public TraceParent?[] Traces { get; init; } = [];

    public TraceParent? TraceOf(int index) => Trace ?? (index < Traces.Length ? Traces[index] : null);

    public CallRequest RequestOf(int index) => new(Ids[index], EntryPoint, PayloadOf(index), []) { Trace = TraceOf(index) };

    public static CallChunk Of(IReadOnlyList<CallRequest> requests)
    {
        var ends = new int[requests.Count];
        for (int i = 0, end = 0; i < ends.Length; i++)
        {
            ends[i] = end += requests[i].Payload.Length;
        }

        TraceParent?[] traces = requests.Any(request => request.Trace is not null) ? [.. requests.Select(request => request.Trace)] : [];
        var chunk = new CallChunk(requests[0].EntryPoint, new long[ends.Length], ends, new byte[ends[^1]]) { Traces = traces };
        for (var i = 0; i < ends.Length; i++)
        {
            chunk.Ids[i] = requests[i].Id;
            requests[i].Payload.CopyTo(MemoryMarshal.AsMemory(chunk.PayloadOf(i)));
        }

        return chunk;
    }

    public void Write(WireWriter writer)
    {
        writer.String(EntryPoint);
        writer.Array<long>(Ids);
        writer.Array<int>(Ends);
        writer.Bytes(Payloads);
        writer.Optional(Trace, TraceParent.Write);
        writer.List(Traces, TraceParent.WriteOptional);
    }

    public static CallChunk Read(ref WireReader reader)
    {
        var chunk = new CallChunk(reader.String(), reader.Array<long>(), reader.Array<int>(), reader.Bytes())
        {
            Trace = reader.Optional(TraceParent.Read),
            Traces = reader.List(TraceParent.ReadOptional),
        };
        var last = 0;
        foreach (var end in chunk.Ends)
        {
            last = end >= last ? end : throw new InvalidDataException("The arguments of a call end before they begin.");
        }

        return chunk.Ids.Length == chunk.Ends.Length && last == chunk.Payloads.Length
            ? chunk
            : throw new InvalidDataException($"A message has {chunk.Ids.Length} calls, {chunk.Ends.Length} arguments and {chunk.Payloads.Length - last} bytes of none of them.");
    }
}

/// <summary>What a sandbox asks its host for while a call executes: a service, or an argument that is no JSON value.</summary>
/// <param name="CallId">The call.</param>
/// <param name="Target"><c>IContract.Method</c> of a service, or <c>$0.next</c>, <c>$0.end</c>, <c>$0.report</c> of the call's first such argument.</param>
/// <param name="Payload">The arguments as UTF-8 JSON.</param>
/// <param name="Attachments">The byte arrays that the payload refers to by index.</param>
internal sealed record CallbackRequest(long CallId, string Target, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments)
{
    public const byte Tag = 11;

    public void Write(WireWriter writer)
    {
        writer.Int64(CallId);
        writer.String(Target);
        writer.Bytes(Payload);
        writer.Attachments(Attachments);
    }

    public static CallbackRequest Read(ref WireReader reader) => new(reader.Int64(), reader.String(), reader.Bytes(), reader.Attachments());
}

/// <summary>What became of a call, or the next items of a stream.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Payload">The result, or an array of items, as UTF-8 JSON when <paramref name="Status"/> is <see cref="CallStatus.Succeeded"/> or <see cref="CallStatus.Streaming"/>, else empty.</param>
/// <param name="Attachments">The byte arrays that the payload refers to by index.</param>
/// <param name="Error">What went wrong otherwise.</param>
/// <param name="Usage">What the call used, if that was asked for.</param>
internal sealed record CallReply(CallStatus Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, RemoteError? Error, CallUsage? Usage = null)
{
    public const byte Tag = 12;

    /// <summary>What <see cref="Mailbox.Put"/> said, when <see cref="Attachments"/> are not all.</summary>
    public int[] InMailbox { get; init; } = [];

    /// <summary>Of a call whose result fits into no message.</summary>
    /// <param name="bytes">How much the result takes.</param>
    /// <param name="maxMessageBytes">The cap of a message.</param>
    public static CallReply TooLarge(long bytes, int maxMessageBytes) => new(CallStatus.ResultRefused, default, [], new RemoteError(
        "", $"The result is {bytes} bytes; at most {maxMessageBytes - WireLimits.EnvelopeBytes} fit into a message (MaxMessageBytes).", "", null));

    /// <summary>The spans that were made meanwhile, in the order in which they began; null: none. The first one is the call's own.</summary>
    public SpanMessage[]? Spans { get; init; }

    public void Write(WireWriter writer)
    {
        writer.Byte((byte)Status);
        writer.Bytes(Payload);
        writer.Attachments(Attachments);
        writer.Optional(Error, RemoteError.Write);
        writer.Optional(Usage, CallUsage.Write);
        writer.Array<int>(InMailbox);
        writer.Optional(Spans, SpanMessage.WriteAll);
    }

    public static CallReply Read(ref WireReader reader) => new((CallStatus)reader.Byte(), reader.Bytes(), reader.Attachments(), RemoteError.ReadOptional(ref reader), reader.Optional(CallUsage.Read))
    {
        InMailbox = reader.Array<int>(),
        Spans = reader.Optional(SpanMessage.ReadAll),
    };
}

/// <summary>What a call used, by the sandbox's own account. One call executes at a time, so it is what the process used meanwhile.</summary>
/// <param name="RunTime">From its arguments to its result, in ticks of 100 ns.</param>
/// <param name="CpuTime">Of all threads, in ticks of 100 ns.</param>
/// <param name="AllocatedBytes">On the managed heap.</param>
internal sealed record CallUsage(long RunTime, long CpuTime, long AllocatedBytes)
{
    public static void Write(WireWriter writer, CallUsage usage)
    {
        writer.Int64(usage.RunTime);
        writer.Int64(usage.CpuTime);
        writer.Int64(usage.AllocatedBytes);
    }

    public static CallUsage Read(ref WireReader reader) => new(reader.Int64(), reader.Int64(), reader.Int64());
}

/// <summary>How a call ended. The values are Binder's too: it cannot share the type.</summary>
internal enum CallStatus
{
    /// <summary>The entry point returned.</summary>
    Succeeded = 0,

    /// <summary>The entry point threw.</summary>
    PluginThrew = 1,

    /// <summary>The arguments do not fit the entry point, or there is no such entry point; no plugin code ran.</summary>
    ArgumentsRefused = 2,

    /// <summary>The entry point ran, but its result cannot be serialized or is above the cap.</summary>
    ResultRefused = 3,

    /// <summary>Items of a stream; there are more.</summary>
    Streaming = 4,

    /// <summary>In a chunk only: it was taken back, or its caller had left, before it began.</summary>
    Skipped = 5,
}

/// <summary>An exception as text. No type named by the other side is ever loaded.</summary>
internal sealed record RemoteError(string Type, string Message, string StackTrace, RemoteError? Inner)
{
    public static void Write(WireWriter writer, RemoteError error)
    {
        writer.String(error.Type);
        writer.String(error.Message);
        writer.String(error.StackTrace);
        writer.Optional(error.Inner, Write);
    }

    public static RemoteError? ReadOptional(ref WireReader reader) => ReadOptional(ref reader, WireLimits.MaxInnerErrors);

    private static RemoteError? ReadOptional(ref WireReader reader, int innerErrors)
    {
        if (!reader.Bool())
        {
            return null;
        }

        return innerErrors < 0
            ? throw new InvalidDataException($"An error has more than {WireLimits.MaxInnerErrors} inner ones.")
            : new RemoteError(reader.String(), reader.String(), reader.String(), ReadOptional(ref reader, innerErrors - 1));
    }
}
