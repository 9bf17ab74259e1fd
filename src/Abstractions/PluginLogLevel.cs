namespace ProcessPool;

/// <summary>How severe a log entry is. The names and numbers are those of <c>Microsoft.Extensions.Logging.LogLevel</c>.</summary>
public enum PluginLogLevel
{
    /// <summary>Every detail.</summary>
    Trace,

    /// <summary>For the developer.</summary>
    Debug,

    /// <summary>What goes on.</summary>
    Information,

    /// <summary>Unusual, but handled.</summary>
    Warning,

    /// <summary>Something failed.</summary>
    Error,

    /// <summary>Everything failed.</summary>
    Critical,
}
