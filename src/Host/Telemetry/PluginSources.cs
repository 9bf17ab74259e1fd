using System.Diagnostics;

namespace ProcessPool.Telemetry;

/// <summary>
/// The sources of the spans that the plugin of one pool makes, by name. A name is the plugin's choice and the runtime keeps every source, so their number is bounded, and they go with the pool.
/// Thread-safe.
/// </summary>
internal sealed class PluginSources : IDisposable
{
    /// <summary>How many sources the plugin of a pool has at most.</summary>
    public const int MaxSources = 64;

    private readonly Dictionary<string, ActivitySource> _sources = new(StringComparer.Ordinal);

    /// <summary>Null when there is none for it.</summary>
    public ActivitySource? Find(string name)
    {
        lock (_sources)
        {
            if (!_sources.TryGetValue(name, out var source) && _sources.Count < MaxSources)
            {
                _sources.Add(name, source = new ActivitySource(name));
            }

            return source;
        }
    }

    public void Dispose()
    {
        lock (_sources)
        {
            foreach (var source in _sources.Values)
            {
                source.Dispose();
            }

            // The pool may be started anew.
            _sources.Clear();
        }
    }
}
