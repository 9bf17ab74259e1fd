using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ProcessPool.Binding.Payload;

namespace ProcessPool.Calls;

/// <summary>Writes items of a map as the arguments of calls that go together. For one thread.</summary>
/// <param name="json">The host's JSON.</param>
/// <param name="place">Which entry point they are for.</param>
internal sealed class ItemWriter<T>(PayloadJson json, CallPlace place)
{
    // Such an item is one argument, whatever it holds.
    private static readonly bool IsExact = typeof(T) == typeof(string) || typeof(T).IsValueType && !LiveArgument.IsLive(typeof(T));

    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly List<ReadOnlyMemory<byte>> _attachments = [];
    private Utf8JsonWriter? _writer;

    /// <summary>What was written last.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>Writes an item.</summary>
    /// <param name="item">The item.</param>
    /// <param name="single">When it cannot go with others: the arguments of its own call. What was written is in them: a stream cannot be read twice.</param>
    public bool TryWrite(T item, out CallArguments? single)
    {
        CallPayload payload;
        try
        {
            payload = IsExact ? Write(item) : CallArguments.From(item).ToPayload(place, json);
        }
        catch (Exception exception)
        {
            single = CallArguments.Unwritable(exception);
            return false;
        }

        var isPlain = payload.CanGoTogether;
        single = isPlain ? null : CallArguments.Written(IsExact ? payload with { Json = payload.Json.ToArray() } : payload);
        Payload = isPlain ? payload.Json : default;
        return isPlain;
    }

    // Without a copy.
    private CallPayload Write(T item)
    {
        _buffer.ResetWrittenCount();
        _attachments.Clear();
        _writer ??= new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = json.Options.Encoder, SkipValidation = true });
        _writer.Reset();
        using var scope = AttachmentScope.ForWriting(_attachments);
        _writer.WriteStartArray();
        JsonSerializer.Serialize(_writer, item, (JsonTypeInfo<T>)json.Of(typeof(T)));
        _writer.WriteEndArray();
        _writer.Flush();
        return new CallPayload(_buffer.WrittenMemory, [.. _attachments], []);
    }
}
