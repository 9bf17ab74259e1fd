using ProcessPool.Protocol;

namespace ProcessPool.Sandbox.Serving;

/// <summary>What a plugin logs, as it travels: it fits into a message of the control channel.</summary>
internal static class LogEntry
{
    /// <summary>For the properties of all scopes. With the longest texts and the most properties, half of a message stays free.</summary>
    private const int MaxScopeBytes = 256 * 1024;

    public static PluginLogEntry Of(PluginLogRecord entry, long callId) => new(
        (int)entry.Level, ForeignText.Cut(entry.Category ?? "", WireLimits.MaxErrorMessage), ForeignText.Cut(entry.Message ?? "", WireLimits.MaxErrorMessage),
        entry.Exception is { } thrown ? ForeignText.Read(thrown.ToString, WireLimits.MaxStackTrace) : "")
    {
        CallId = callId,
        EventId = entry.EventId,
        EventName = Tags.Cut(entry.EventName ?? ""),
        Properties = PropertiesOf(entry.Properties ?? []),
        Scopes = Scopes(entry.Scopes ?? []),
    };

    // A scope for whose properties there is no room any more has its text.
    private static LogScopeMessage[] Scopes(IEnumerable<object> scopes)
    {
        var room = MaxScopeBytes;
        return [.. scopes.Take(WireLimits.MaxLogScopes).Select(scope =>
        {
            var properties = scope is IEnumerable<KeyValuePair<string, object?>> values ? PropertiesOf(values) : [];
            var bytes = TagMessage.MaxBytesOf(properties);
            var fits = bytes <= room;
            room -= fits ? bytes : 0;
            return new LogScopeMessage(Tags.Text(scope), fits ? properties : []);
        })];
    }

    // Their code runs here, and may throw: that is not to reach whoever logs.
    private static TagMessage[] PropertiesOf(IEnumerable<KeyValuePair<string, object?>> values)
    {
        try
        {
            return Tags.Of(values);
        }
        catch (Exception)
        {
            return [];
        }
    }
}
