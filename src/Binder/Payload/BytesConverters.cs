using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ProcessPool.Binding.Payload;

/// <summary>
/// Bytes leave the JSON as attachments: <c>{"$bytes":0}</c> stands for the first. A base64 string is read as well, so that
/// JSON written by hand works.
/// </summary>
internal static class BytesToken
{
    /// <summary>The property that marks a reference to an attachment.</summary>
    public const string Property = "$bytes";

    public static void Write(Utf8JsonWriter writer, ReadOnlyMemory<byte> bytes)
    {
        writer.WriteStartObject();
        writer.WriteNumber(Property, AttachmentScope.Attach(bytes));
        writer.WriteEndObject();
    }

    public static ReadOnlyMemory<byte> Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return reader.GetBytesFromBase64();
        }

        if (reader.TokenType == JsonTokenType.StartObject
            && reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(Property)
            && reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var index)
            && AttachmentScope.Find(index) is { } bytes
            && reader.Read() && reader.TokenType == JsonTokenType.EndObject)
        {
            return bytes;
        }

        throw new JsonException("Bytes are an attachment or a base64 string.");
    }
}

/// <summary><c>byte[]</c> as an attachment.</summary>
internal sealed class ByteArrayConverter : JsonConverter<byte[]>
{
    public override byte[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var bytes = BytesToken.Read(ref reader);
        return MemoryMarshal.TryGetArray(bytes, out var segment) && segment.Array is { } array && array.Length == bytes.Length
            ? array
            : bytes.ToArray();
    }

    public override void Write(Utf8JsonWriter writer, byte[] value, JsonSerializerOptions options) => BytesToken.Write(writer, value);
}

/// <summary><see cref="ReadOnlyMemory{T}"/> of byte as an attachment.</summary>
internal sealed class ReadOnlyMemoryConverter : JsonConverter<ReadOnlyMemory<byte>>
{
    public override ReadOnlyMemory<byte> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        BytesToken.Read(ref reader);

    public override void Write(Utf8JsonWriter writer, ReadOnlyMemory<byte> value, JsonSerializerOptions options) =>
        BytesToken.Write(writer, value);
}

/// <summary>A <see cref="Stream"/> as an attachment: read to its end when sent, a <see cref="MemoryStream"/> when received.</summary>
internal sealed class StreamConverter : JsonConverter<Stream>
{
    public override bool CanConvert(Type typeToConvert) => typeof(Stream).IsAssignableFrom(typeToConvert);

    public override Stream Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (!typeToConvert.IsAssignableFrom(typeof(MemoryStream)))
        {
            throw new JsonException($"A stream is received as Stream or MemoryStream, not as {typeToConvert.Name}.");
        }

        var bytes = BytesToken.Read(ref reader);
        return MemoryMarshal.TryGetArray(bytes, out var segment)
            ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false)
            : new MemoryStream(bytes.ToArray(), writable: false);
    }

    public override void Write(Utf8JsonWriter writer, Stream value, JsonSerializerOptions options)
    {
        using var copy = new MemoryStream();
        value.CopyTo(copy);
        BytesToken.Write(writer, copy.ToArray());
    }
}
