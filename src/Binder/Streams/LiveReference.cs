using System.Globalization;
using System.Text.Json;

namespace ProcessPool.Binding.Streams;

/// <summary>
/// How an argument that cannot be JSON is written: <c>{"$stream":0}</c>, <c>{"$progress":0}</c>. While the call executes, the sandbox calls the host
/// back under the target <c>$0.next</c>, <c>$0.end</c> or <c>$0.report</c>.
/// </summary>
internal static class LiveReference
{
    public const string Stream = "$stream";
    public const string Progress = "$progress";
    public const string Next = "next";
    public const string End = "end";
    public const string Report = "report";

    public static string Target(int index, string operation) => string.Create(CultureInfo.InvariantCulture, $"${index}.{operation}");

    /// <summary>The index and the operation of a target; null when it is none.</summary>
    public static (int Index, string Operation)? Parse(string target) =>
        target.StartsWith('$') && target.Split('.', 2) is [var index, var operation] && int.TryParse(index.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? (number, operation)
            : null;

    /// <summary>Reads a reference. The reader stands at its beginning, and afterwards at its end.</summary>
    /// <exception cref="JsonException">It is not one.</exception>
    public static int Read(ref Utf8JsonReader reader, string property) =>
        reader.TokenType == JsonTokenType.StartObject
        && reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(property)
        && reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var index)
        && reader.Read() && reader.TokenType == JsonTokenType.EndObject
            ? index
            : throw new JsonException(property == Stream ? "A stream is a JSON array of its items, or passed by a host program." : "A progress handler can be passed only by a host program; leave it out.");
}
