using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ProcessPool.Binding.Payload;
using ProcessPool.Binding.Streams;

namespace ProcessPool.Binding;

/// <summary>Turns a payload into the arguments of one method: by position from an array, by name from an object.</summary>
internal sealed class ArgumentBinder
{
    private readonly string _signature;
    private readonly ParameterInfo[] _all;
    private readonly ParameterInfo[] _callers;
    private readonly LiveParameter?[] _live;
    private readonly JsonTypeInfo?[] _types;
    private readonly object? _context;
    private readonly PayloadJson _json;

    public ArgumentBinder(string entryPoint, MethodInfo method, object? context, PayloadJson json)
    {
        _context = context;
        _json = json;
        _all = method.GetParameters();
        _callers = [.. _all.Where(parameter => !IsSupplied(parameter.ParameterType))];
        _live = [.. _callers.Select(parameter => LiveParameter.For(parameter.ParameterType))];
        _types = new JsonTypeInfo?[_callers.Length];
        _signature = $"{entryPoint}({string.Join(", ", _callers.Select(Describe))})";
    }

    /// <summary>Whether one of them is a stream or a progress handler.</summary>
    public bool HasLive => Array.Exists(_live, live => live is not null);

    /// <summary>Whether one of them is a token.</summary>
    public bool TakesToken => Array.Exists(_all, parameter => parameter.ParameterType == typeof(CancellationToken));

    /// <summary>Whether the sandbox supplies a parameter of this type. Matched by name: a plugin may see another copy of Abstractions.</summary>
    public static bool IsSupplied(Type type) => type == typeof(CancellationToken) || type.FullName == "ProcessPool.IPluginContext";

    /// <summary>The arguments for the method, supplied ones included.</summary>
    /// <exception cref="ArgumentsRefusedException">The payload does not fit.</exception>
    public object?[] Bind(ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte>[] attachments, HostLink host, CancellationToken cancellationToken)
    {
        var values = new object?[_callers.Length];
        var given = new bool[_callers.Length];
        try
        {
            Read(payload, attachments, host, values, given);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new ArgumentsRefusedException($"The arguments of {_signature} are not valid JSON: {exception.Message}", exception);
        }

        return Complete(values, given, cancellationToken);
    }

    private void Read(ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte>[] attachments, HostLink host, object?[] values, bool[] given)
    {
        using var scope = AttachmentScope.ForReading(attachments);
        var reader = new Utf8JsonReader(payload.Span, new JsonReaderOptions { MaxDepth = _json.Options.MaxDepth });
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            ReadByPosition(ref reader, host, values, given);
        }
        else
        {
            ReadByName(ref reader, host, values, given);
        }

        // What follows the arguments is an error too.
        reader.Read();
    }

    private void ReadByPosition(ref Utf8JsonReader reader, HostLink host, object?[] values, bool[] given)
    {
        var count = 0;
        for (; reader.Read() && reader.TokenType != JsonTokenType.EndArray; count++)
        {
            if (count < values.Length)
            {
                values[count] = ReadValue(ref reader, count, host);
                given[count] = true;
            }
            else
            {
                reader.Skip();
            }
        }

        if (count > values.Length)
        {
            throw new ArgumentsRefusedException($"{count} arguments were given, but {_signature} takes {Count(values.Length)}.");
        }
    }

    private void ReadByName(ref Utf8JsonReader reader, HostLink host, object?[] values, bool[] given)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var index = Array.FindIndex(_callers, parameter => parameter.Name == name);
            index = index >= 0 ? index : Array.FindIndex(_callers, parameter => string.Equals(parameter.Name, name, StringComparison.OrdinalIgnoreCase));
            if (index < 0)
            {
                throw new ArgumentsRefusedException($"There is no parameter '{name}' in {_signature}.");
            }

            if (given[index])
            {
                throw new ArgumentsRefusedException($"The parameter '{name}' of {_signature} was given twice.");
            }

            reader.Read();
            values[index] = ReadValue(ref reader, index, host);
            given[index] = true;
        }
    }

    private object? ReadValue(ref Utf8JsonReader reader, int index, HostLink host)
    {
        var parameter = _callers[index];
        try
        {
            return _live[index] is { } live ? live.Read(ref reader, host, _json)
                : ReadNumber(ref reader, parameter.ParameterType) ?? JsonSerializer.Deserialize(ref reader, _types[index] ??= _json.Of(parameter.ParameterType));
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException or FormatException)
        {
            throw Refused(parameter, exception.Message, exception);
        }
        catch (Exception exception)
        {
            // A constructor, setter or converter of the argument's own type threw.
            throw Refused(parameter, $"{exception.GetType().Name}: {exception.Message}", exception);
        }
    }

    // The serializer looks for the end of a value before it reads it: a third of the cost of a short call. What is not as it should be is left to it, and its errors.
    private static object? ReadNumber(ref Utf8JsonReader reader, Type type) => reader.TokenType switch
    {
        JsonTokenType.Number when type == typeof(int) && reader.TryGetInt32(out var number) => number,
        JsonTokenType.Number when type == typeof(long) && reader.TryGetInt64(out var number) => number,
        JsonTokenType.Number when type == typeof(double) && reader.TryGetDouble(out var number) && double.IsFinite(number) => number,
        _ => null,
    };

    private ArgumentsRefusedException Refused(ParameterInfo parameter, string why, Exception exception) =>
        new($"The argument '{parameter.Name}' of {_signature} cannot be read as {TypeNames.Of(parameter.ParameterType)}: {why}", exception);

    private object?[] Complete(object?[] values, bool[] given, CancellationToken cancellationToken)
    {
        var arguments = new object?[_all.Length];
        for (int i = 0, caller = 0; i < _all.Length; i++)
        {
            var parameter = _all[i];
            if (parameter.ParameterType == typeof(CancellationToken))
            {
                arguments[i] = cancellationToken;
            }
            else if (IsSupplied(parameter.ParameterType))
            {
                arguments[i] = _context;
            }
            else if (given[caller])
            {
                arguments[i] = values[caller++];
            }
            else if (parameter.HasDefaultValue)
            {
                arguments[i] = DefaultOf(parameter);
                caller++;
            }
            else if (_live[caller] is { MayBeAbsent: true } live)
            {
                arguments[i] = live.Absent;
                caller++;
            }
            else
            {
                throw new ArgumentsRefusedException(
                    $"No value was given for '{parameter.Name}' of {_signature}, which takes {Count(_callers.Length)}.");
            }
        }

        return arguments;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = "A value type always has its default.")]
    private static object? DefaultOf(ParameterInfo parameter)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        return parameter.DefaultValue switch
        {
            null when parameter.ParameterType.IsValueType => Activator.CreateInstance(parameter.ParameterType),
            { } value when type.IsEnum => Enum.ToObject(type, value),
            var value => value,
        };
    }

    private static string Count(int count) => count == 1 ? "1 argument" : $"{count} arguments";

    private static string Describe(ParameterInfo parameter) =>
        $"{TypeNames.Of(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + (parameter.DefaultValue ?? "null") : "")}";
}
