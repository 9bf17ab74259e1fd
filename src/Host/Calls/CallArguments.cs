using System.Buffers;
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using ProcessPool.Binding.Payload;
using ProcessPool.Calls;
using ProcessPool.Scheduling;

namespace ProcessPool;

/// <summary>
/// The arguments of a call: by position, <c>[7, "text"]</c>; by name, <see cref="Named"/>; or as JSON, <see cref="FromJson"/>.
/// Parameters that are left out keep their defaults.
/// </summary>
/// <remarks>
/// Values are serialized by System.Text.Json when the call is made. Bytes (<c>byte[]</c>, <see cref="ReadOnlyMemory{T}"/> of byte) are not copied:
/// do not change them until the call has ended. A <see cref="Stream"/> is read to its end.
/// </remarks>
/// <example><code>
/// await pool.InvokeAsync&lt;long&gt;("Square", [7]);
/// await pool.InvokeAsync&lt;Report&gt;("Render", CallArguments.Named(("path", path), ("dpi", 300)));
/// </code></example>
[CollectionBuilder(typeof(CallArguments), nameof(Create))]
[SuppressMessage("Naming", "CA1710", Justification = "A collection only to the compiler, for [a, b].")]
public sealed class CallArguments : IEnumerable<object?>
{
    [ThreadStatic]
    private static Scratch? t_scratch;

    private readonly object?[] _values;
    private readonly Type[]? _types;
    private readonly string[]? _names;
    private readonly string? _json;
    private readonly CallPayload? _written;
    private readonly Exception? _fault;

    private CallArguments(object?[] values, Type[]? types = null, string[]? names = null, string? json = null, CallPayload? written = null, Exception? fault = null)
    {
        _values = values;
        _types = types;
        _names = names;
        _json = json;
        _written = written;
        _fault = fault;
    }

    /// <summary>No arguments.</summary>
    public static CallArguments None { get; } = new([]);

    /// <summary>Arguments by position. Usually written as a collection expression: <c>[7, "text"]</c>.</summary>
    public static CallArguments Create(ReadOnlySpan<object?> values) => new(values.ToArray());

    /// <summary>Arguments by name, in any order.</summary>
    public static CallArguments Named(params ReadOnlySpan<(string Name, object? Value)> arguments)
    {
        var names = new string[arguments.Length];
        var values = new object?[arguments.Length];
        for (var i = 0; i < arguments.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(arguments[i].Name, nameof(arguments));
            (names[i], values[i]) = arguments[i];
        }

        return new CallArguments(values, names: names);
    }

    /// <summary>Arguments as JSON text: an array is by position, an object by name.</summary>
    /// <remarks>Looked at when the call is made, which fails with <see cref="CallArgumentException"/> if it is not such JSON.</remarks>
    public static CallArguments FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new CallArguments([], json: json);
    }

    /// <summary>The positional or named values, without their names.</summary>
    public IEnumerator<object?> GetEnumerator() => ((IEnumerable<object?>)_values).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>One argument, or the arguments that the value already is.</summary>
    internal static CallArguments From(object? value) => value as CallArguments ?? new CallArguments([value]);

    /// <summary>Arguments by position with their declared types, from a contract method.</summary>
    internal static CallArguments Typed(object?[] values, Type[] types) => new(values, types);

    /// <summary>Arguments that were written already: what they were made of may be used up.</summary>
    internal static CallArguments Written(CallPayload payload) => new([], written: payload);

    /// <summary>Arguments that could not be written: what they were made of may be used up, so that it is not tried again.</summary>
    internal static CallArguments Unwritable(Exception fault) => new([], fault: fault);

    /// <summary>The arguments as a payload.</summary>
    /// <exception cref="CallArgumentException">A value cannot be serialized.</exception>
    internal CallPayload ToPayload(CallPlace place, PayloadJson json)
    {
        if (_written is { } written)
        {
            return written;
        }

        if (_fault is not null)
        {
            // With this call's number.
            throw _fault is CallArgumentException ? new CallArgumentException(_fault.Message, place, _fault.InnerException) : new CallArgumentException($"The arguments of {place.EntryPoint} cannot be serialized by System.Text.Json: {_fault.Message}", place, _fault);
        }

        if (_json is not null)
        {
            return new CallPayload(FromText(_json, place), [], []);
        }

        // A converter may make a call itself, on this thread.
        var scratch = t_scratch ?? new Scratch();
        t_scratch = null;
        using var scope = AttachmentScope.ForWriting(scratch.Attachments);
        try
        {
            scratch.Begin(json);
            WriteAll(scratch.Writer!, scratch.Live, place, json);
            scratch.Writer!.Flush();
            return new CallPayload(scratch.Buffer.WrittenSpan.ToArray(), [.. scratch.Attachments], [.. scratch.Live]);
        }
        finally
        {
            scratch.End();
            t_scratch = scratch;
        }
    }

    private static byte[] FromText(string json, CallPlace place)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind is JsonValueKind.Array or JsonValueKind.Object)
            {
                return Encoding.UTF8.GetBytes(json);
            }
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException)
        {
            throw new CallArgumentException($"The arguments of {place.EntryPoint} are not valid JSON: {exception.Message}", place, exception);
        }

        throw new CallArgumentException($"The arguments of {place.EntryPoint} are neither a JSON array (by position) nor an object (by name).", place);
    }

    private void WriteAll(Utf8JsonWriter writer, List<LiveArgument> live, CallPlace place, PayloadJson json)
    {
        if (_names is null)
        {
            writer.WriteStartArray();
        }
        else
        {
            writer.WriteStartObject();
        }

        for (var i = 0; i < _values.Length; i++)
        {
            if (_names is not null)
            {
                writer.WritePropertyName(_names[i]);
            }

            WriteValue(writer, i, live, place, json);
        }

        if (_names is null)
        {
            writer.WriteEndArray();
        }
        else
        {
            writer.WriteEndObject();
        }
    }

    private void WriteValue(Utf8JsonWriter writer, int index, List<LiveArgument> live, CallPlace place, PayloadJson json)
    {
        if (LiveArgument.From(_values[index]) is { } argument)
        {
            writer.WriteStartObject();
            writer.WriteNumber(argument.Reference, live.Count);
            writer.WriteEndObject();
            live.Add(argument);
            return;
        }

        var type = _types?[index] ?? _values[index]?.GetType() ?? typeof(object);
        try
        {
            JsonSerializer.Serialize(writer, _values[index], json.Of(type));
        }
        catch (Exception exception)
        {
            var which = _names is null ? $"{index + 1} (counted from 1)" : $"'{_names[index]}'";
            throw new CallArgumentException(
                $"Argument {which} of {place.EntryPoint} is a {type} and cannot be serialized by System.Text.Json: {exception.Message}", place, exception);
        }
    }

    /// <summary>What writing needs, used again on its thread.</summary>
    private sealed class Scratch
    {
        private const int KeptBytes = 64 * 1024;

        public ArrayBufferWriter<byte> Buffer { get; private set; } = new();

        public Utf8JsonWriter? Writer { get; private set; }

        public List<ReadOnlyMemory<byte>> Attachments { get; } = [];

        public List<LiveArgument> Live { get; } = [];

        public void Begin(PayloadJson json)
        {
            if (Writer is null || Writer.Options.Encoder != json.Options.Encoder)
            {
                Writer = new Utf8JsonWriter(Buffer, new JsonWriterOptions { Encoder = json.Options.Encoder, SkipValidation = true });
            }
        }

        public void End()
        {
            if (Buffer.Capacity > KeptBytes)
            {
                Buffer = new ArrayBufferWriter<byte>();
                Writer = null;
            }

            Buffer.ResetWrittenCount();
            Writer?.Reset();
            Attachments.Clear();
            Live.Clear();
        }
    }
}

/// <summary>Which call something is about, until there is an error to say it in.</summary>
internal readonly record struct CallPlace(string Pool, long CallId, string EntryPoint)
{
    public static implicit operator FaultSite(CallPlace place) => new(place.Pool, CallId: place.CallId, EntryPoint: place.EntryPoint);
}

/// <summary>Arguments as they travel.</summary>
/// <param name="Json">An array (by position) or an object (by name).</param>
/// <param name="Attachments">The bytes that it refers to.</param>
/// <param name="Live">The streams and progress handlers that it refers to.</param>
internal readonly record struct CallPayload(ReadOnlyMemory<byte> Json, ReadOnlyMemory<byte>[] Attachments, LiveArgument[] Live)
{
    /// <summary>Whether it is all there is, and small enough to go with others.</summary>
    public bool CanGoTogether => Json.Length <= Invocation.MaxTogetherBytes && Attachments.Length == 0 && Live.Length == 0;
}
