using System.Collections.Concurrent;
using System.Diagnostics;

namespace ProcessPool.Telemetry;

/// <summary>
/// The sources of the spans that the plugin of one pool makes, by name. A name is the plugin's choice and the runtime keeps every source, so their number is bounded, and they go when the pool
/// stops. Thread-safe.
/// </summary>
internal sealed class PluginSources
{
    /// <summary>How many sources the plugin of a pool has at most.</summary>
    public const int MaxSources = 64;

    // Made outside of any lock: whoever listens is asked then. One whose making threw is remembered as none.
    private readonly ConcurrentDictionary<string, Lazy<ActivitySource?>> _sources = new(StringComparer.Ordinal);
    private volatile bool _isOpen = true;

    /// <summary>Null when there is none for it.</summary>
    public ActivitySource? Find(string name)
    {
        if (!_isOpen || !_sources.ContainsKey(name) && _sources.Count >= MaxSources)
        {
            return null;
        }

        var source = _sources.GetOrAdd(name, static name => new Lazy<ActivitySource?>(() => Make(name))).Value;
        if (!_isOpen)
        {
            // Closed meanwhile, perhaps before this one was there.
            source?.Dispose();
            return null;
        }

        return source;
    }

    /// <summary>The pool runs.</summary>
    public void Open() => _isOpen = true;

    /// <summary>The pool has stopped. What comes late makes no sources any more.</summary>
    public void Close()
    {
        _isOpen = false;
        foreach (var (name, source) in _sources)
        {
            source.Value?.Dispose();
            _sources.TryRemove(name, out _);
        }
    }

    private static ActivitySource? Make(string name)
    {
        try
        {
            return new ActivitySource(name);
        }
        catch (Exception)
        {
            // A listener's fault.
            return null;
        }
    }
}
