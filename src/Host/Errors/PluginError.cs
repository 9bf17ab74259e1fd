using System.Text;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;

namespace ProcessPool;

/// <summary>An exception of the plugin as text, without control characters (but line feeds and tabs). No type of the plugin is ever loaded into the host.</summary>
/// <param name="Type">The full name of the exception's type.</param>
/// <param name="Message">Its message, at most 8 Ki characters.</param>
/// <param name="StackTrace">Its stack trace, at most 32 Ki characters.</param>
/// <param name="Inner">The inner exception, at most eight deep.</param>
public sealed record PluginError(string Type, string Message, string StackTrace, PluginError? Inner)
{
    /// <summary>Type, message and stack of the whole chain.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        for (var error = this; error is not null; error = error.Inner)
        {
            text.Append(text.Length > 0 ? " ---> " : "").Append(error.Type).Append(": ").AppendLine(error.Message).AppendLine(error.StackTrace);
        }

        return text.ToString().TrimEnd();
    }

    // The sandbox bounds them too, but what it sends is not to be trusted.
    internal static PluginError From(RemoteError error, int depth = WireLimits.MaxInnerErrors) => new(
        Cap(error.Type, WireLimits.MaxErrorMessage),
        Cap(error.Message, WireLimits.MaxErrorMessage),
        Cap(error.StackTrace, WireLimits.MaxStackTrace),
        error.Inner is { } inner && depth > 0 ? From(inner, depth - 1) : null);

    private static string Cap(string? text, int length) => text is null ? "" : WireText.Clean(text.Length <= length + 1 ? text : text[..length] + "…");
}
