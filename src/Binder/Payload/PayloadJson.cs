using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace ProcessPool.Binding.Payload;

/// <summary>The JSON both ends write and read. Host and plugin each use the System.Text.Json that they see.</summary>
internal static class PayloadJson
{
    /// <summary>The options of every payload, on both ends.</summary>
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        PropertyNameCaseInsensitive = true,
        // Tuples are fields; without this they would arrive empty, silently.
        IncludeFields = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        Converters = { new ByteArrayConverter(), new ReadOnlyMemoryConverter(), new StreamConverter() },
    };

    /// <summary>Serializes a value as its declared type.</summary>
    public static (ReadOnlyMemory<byte> Json, ReadOnlyMemory<byte>[] Attachments) Write(object? value, Type declaredType)
    {
        using var scope = AttachmentScope.ForWriting();
        var json = JsonSerializer.SerializeToUtf8Bytes(value, declaredType, Options);
        return (json, AttachmentScope.Written());
    }

    /// <summary>Deserializes a whole payload.</summary>
    public static object? Read(ReadOnlyMemory<byte> json, ReadOnlyMemory<byte>[] attachments, Type type)
    {
        using var scope = AttachmentScope.ForReading(attachments);
        return JsonSerializer.Deserialize(json.Span, type, Options);
    }
}
