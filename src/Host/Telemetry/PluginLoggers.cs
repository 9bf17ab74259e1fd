using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;

namespace ProcessPool.Telemetry;

/// <summary>
/// The loggers that the plugin of one pool writes to, by category. A category is the plugin's choice and a factory keeps every logger that it made, so their number is bounded for the pool, however
/// many workers it has had. Thread-safe.
/// </summary>
/// <param name="factory">The user's; null: there are none.</param>
internal sealed class PluginLoggers(ILoggerFactory? factory)
{
    /// <summary>How many categories the plugin of a pool has at most.</summary>
    public const int MaxCategories = 256;

    private readonly ConcurrentDictionary<string, ILogger> _loggers = new(StringComparer.Ordinal);

    /// <summary>Null when there is none for it.</summary>
    public ILogger? Find(string category)
    {
        if (_loggers.TryGetValue(category, out var known))
        {
            return known;
        }

        try
        {
            return factory is not null && _loggers.Count < MaxCategories ? _loggers.GetOrAdd(category, new GuardedLogger(factory.CreateLogger(category))) : null;
        }
        catch (Exception)
        {
            // A user's code, such as a factory that was disposed.
            return null;
        }
    }
}
