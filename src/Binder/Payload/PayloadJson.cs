using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace ProcessPool.Binding.Payload;

/// <summary>The JSON both ends write and read. Host and plugin each use the System.Text.Json that they see. Thread-safe.</summary>
internal sealed class PayloadJson
{
    [ThreadStatic]
    private static (Utf8JsonWriter Writer, List<ReadOnlyMemory<byte>> Attachments)? t_writer;

    private PayloadJson(IJsonTypeInfoResolver resolver)
    {
        Options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            PropertyNameCaseInsensitive = true,
            // Tuples are fields; without this they would arrive empty, silently.
            IncludeFields = true,
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = resolver,
            Converters = { new ByteArrayConverter(), new ReadOnlyMemoryConverter(), new StreamConverter() },
        };
        Options.MakeReadOnly();
    }

    /// <summary>The plugin's end: the everyday types, which are ready, then any type, by reflection.</summary>
    public static PayloadJson ForPlugin { get; } = new(JsonTypeInfoResolver.Combine(BuiltInTypes.Default, Reflection()));

    /// <summary>The options of every payload.</summary>
    public JsonSerializerOptions Options { get; }

    /// <summary>The host's end: the user's resolver first, then the everyday types, then any type where reflection is switched on.</summary>
    public static PayloadJson ForHost(IJsonTypeInfoResolver? user) => new(JsonTypeInfoResolver.Combine(
        user, BuiltInTypes.Default, JsonSerializer.IsReflectionEnabledByDefault ? Reflection() : null));

    /// <summary>How to serialize a type.</summary>
    /// <exception cref="NotSupportedException">Nothing is known of it; the message has the line to add.</exception>
    public JsonTypeInfo Of(Type type) => Options.TryGetTypeInfo(type, out var info)
        ? info
        : throw new NotSupportedException(
            $"Nothing is known of {TypeNames.Of(type)}, because reflection-based JSON is switched off in this program (Native AOT, trimming, or a file-based app). " +
            $"Add [JsonSerializable(typeof({TypeNames.Of(type)}))] to a JsonSerializerContext, and set SandboxPoolOptions.JsonTypeInfoResolver to it.");

    /// <summary>Serializes a value as its declared type.</summary>
    public (ReadOnlyMemory<byte> Json, ReadOnlyMemory<byte>[] Attachments) Write(object? value, Type declaredType)
    {
        var attachments = new List<ReadOnlyMemory<byte>>();
        using var scope = AttachmentScope.ForWriting(attachments);
        var json = JsonSerializer.SerializeToUtf8Bytes(value, Of(declaredType));
        return (json, [.. attachments]);
    }

    /// <summary>Serializes a value into a buffer.</summary>
    /// <returns>Its attachments.</returns>
    public ReadOnlyMemory<byte>[] Write(IBufferWriter<byte> buffer, object? value, JsonTypeInfo declaredType)
    {
        // A converter may come here itself, on this thread.
        var (writer, attachments) = t_writer ?? (new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Options.Encoder, SkipValidation = true }), []);
        t_writer = null;
        try
        {
            writer.Reset(buffer);
            using var scope = AttachmentScope.ForWriting(attachments);
            JsonSerializer.Serialize(writer, value, declaredType);
            writer.Flush();
            return attachments.Count == 0 ? [] : [.. attachments];
        }
        finally
        {
            attachments.Clear();
            writer.Reset();
            t_writer = (writer, attachments);
        }
    }

    /// <summary>Serializes one of several values into a buffer.</summary>
    public void Write(IBufferWriter<byte> buffer, object? value, Type declaredType, List<ReadOnlyMemory<byte>> attachments)
    {
        using var scope = AttachmentScope.ForWriting(attachments);
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Options.Encoder, SkipValidation = true });
        JsonSerializer.Serialize(writer, value, Of(declaredType));
    }

    /// <summary>Deserializes a whole payload that has no attachments.</summary>
    public T? Read<T>(ReadOnlyMemory<byte> json) => Read(json, (JsonTypeInfo<T>)Of(typeof(T)));

    /// <summary>Deserializes a whole payload that has no attachments.</summary>
    public static T? Read<T>(ReadOnlyMemory<byte> json, JsonTypeInfo<T> type)
    {
        using var scope = AttachmentScope.ForReading([]);
        return JsonSerializer.Deserialize(json.Span, type);
    }

    /// <summary>Deserializes a whole payload.</summary>
    public object? Read(ReadOnlyMemory<byte> json, ReadOnlyMemory<byte>[] attachments, Type type)
    {
        using var scope = AttachmentScope.ForReading(attachments);
        return JsonSerializer.Deserialize(json.Span, Of(type));
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Used only where reflection-based JSON is switched on.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Used only where reflection-based JSON is switched on.")]
    private static DefaultJsonTypeInfoResolver Reflection() => new();
}
