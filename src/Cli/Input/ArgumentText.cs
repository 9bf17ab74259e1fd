using System.Text.Json;

namespace ProcessPool.Cli.Input;

/// <summary>From text to arguments, by the entry point's signature.</summary>
internal static class ArgumentText
{
    /// <summary>Command-line arguments, by position: each is JSON, or a plain string where it is not valid JSON.</summary>
    public static CallArguments FromCommandLine(IEnumerable<string> arguments) =>
        CallArguments.FromJson($"[{string.Join(',', arguments.Select(argument => IsJson(argument) ? argument : Quote(argument)))}]");

    /// <summary>
    /// A line of JSON: an object binds by name where its names are the parameters', an array by position when there are several
    /// parameters, anything else is the first argument. What is no JSON fails when the call is made. An empty object binds by name where
    /// every parameter has a default.
    /// </summary>
    public static CallArguments FromLine(string line, EntryPointInfo entryPoint)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var binds = document.RootElement.ValueKind switch
            {
                JsonValueKind.Object when !document.RootElement.EnumerateObject().Any() => entryPoint.Parameters.All(parameter => parameter.IsOptional),
                JsonValueKind.Object => document.RootElement.EnumerateObject().All(property => entryPoint.Parameters.Any(parameter => string.Equals(parameter.Name, property.Name, StringComparison.OrdinalIgnoreCase))),
                JsonValueKind.Array => entryPoint.Parameters.Count > 1,
                _ => false,
            };
            return CallArguments.FromJson(binds ? line : $"[{line}]");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // No JSON, or a name in it that is no text: the call says so.
            return CallArguments.FromJson(line);
        }
    }

    /// <summary>A line as a string, the first argument.</summary>
    public static CallArguments FromRawLine(string line) => CallArguments.FromJson($"[{Quote(line)}]");

    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
