namespace ProcessPool;

/// <summary>An entry of a plugin's log with everything that <c>ILogger</c> knows of it. Most plugins use that, through the package ProcessPool.Plugin, or <see cref="IPluginContext.Log(PluginLogLevel,string,Exception?,string?)"/>.</summary>
/// <param name="Level">How severe it is.</param>
/// <param name="Message">The text, cut at 8 Ki characters.</param>
public sealed record PluginLogRecord(PluginLogLevel Level, string Message)
{
    /// <summary>What was thrown; its text is passed on.</summary>
    public Exception? Exception { get; init; }

    /// <summary>Who says so, such as a type's full name; null: the plugin.</summary>
    public string? Category { get; init; }

    /// <summary>The event's number in its category. Default: 0.</summary>
    public int EventId { get; init; }

    /// <summary>The event's name.</summary>
    public string? EventName { get; init; }

    /// <summary>What the text was made of, such as the values of a message template; 32 at most. Texts, numbers and booleans stay what they are, everything else is passed on as text.</summary>
    public IReadOnlyList<KeyValuePair<string, object?>> Properties { get; init; } = [];

    /// <summary>The scopes that it was said in, from the outside in; 16 at most. One that is a list of names and values is passed on as such, up to 256 KiB in all, everything else as text.</summary>
    public IReadOnlyList<object> Scopes { get; init; } = [];
}
