using ProcessPool.Protocol;

namespace ProcessPool.Sandbox.Serving;

/// <summary>What a plugin logs, as it travels: short enough, and without objects of the plugin's.</summary>
internal static class LogEntry
{
    public static PluginLogEntry Of(PluginLogRecord entry, long callId) => new(
        (int)entry.Level, Cut(entry.Category ?? "", WireLimits.MaxErrorMessage), Cut(entry.Message ?? "", WireLimits.MaxErrorMessage),
        Cut(entry.Exception is null ? "" : Text(entry.Exception), WireLimits.MaxStackTrace))
    {
        CallId = callId,
        EventId = entry.EventId,
        EventName = Cut(entry.EventName ?? "", WireLimits.MaxTagText),
        Properties = Tags(entry.Properties ?? []),
        Scopes = [.. (entry.Scopes ?? []).Take(WireLimits.MaxLogScopes).Select(Scope)],
    };

    /// <summary>Names and values, as many as may travel.</summary>
    public static TagMessage[] Tags(IEnumerable<KeyValuePair<string, object?>> tags) =>
        [.. tags.Where(tag => tag is { Key: not null, Value: not null }).Take(WireLimits.MaxTags).Select(tag => new TagMessage(Cut(tag.Key, WireLimits.MaxTagText), Value(tag.Value!)))];

    public static string Cut(string text, int length) => text.Length <= length ? text : text[..length] + "…";

    private static LogScopeMessage Scope(object scope) => new(
        Cut(Text(scope), WireLimits.MaxTagText), scope is IEnumerable<KeyValuePair<string, object?>> properties ? Tags(properties) : []);

    private static object Value(object value) => value switch
    {
        string text => Cut(text, WireLimits.MaxTagText),
        bool or long or double => value,
        int or short or byte or sbyte or ushort or uint => Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture),
        float number => (double)number,
        string[] texts => Cut(string.Join(',', texts), WireLimits.MaxTagText),
        _ => Cut(Text(value), WireLimits.MaxTagText),
    };

    // Its code runs here, and may throw.
    private static string Text(object value)
    {
        try
        {
            return (value is IFormattable formattable ? formattable.ToString(null, System.Globalization.CultureInfo.InvariantCulture) : value.ToString()) ?? "";
        }
        catch (Exception thrown)
        {
            return $"{value.GetType()} (reading it threw {thrown.GetType().Name})";
        }
    }
}
