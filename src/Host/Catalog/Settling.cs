namespace ProcessPool.Catalog;

/// <summary>Which plugins of a drop folder have changed, and have stopped changing since: a file that is being copied looks different at every look.</summary>
internal sealed class Settling(TimeSpan settleTime, TimeProvider time)
{
    private const string Gone = "";

    private readonly Dictionary<string, (string Stamp, long Since)> _seen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _handled = new(StringComparer.Ordinal);

    /// <summary>Compares with the looks before.</summary>
    /// <param name="sources">What lies there now.</param>
    /// <param name="isMoving">Whether something has changed and has not settled yet.</param>
    /// <param name="isBusy">Which ones are being handled: they are left alone.</param>
    /// <returns>What is to be handled now: new, changed, or gone.</returns>
    public List<string> Look(IReadOnlyDictionary<string, DroppedPlugin> sources, out bool isMoving, Func<string, bool>? isBusy = null)
    {
        var settled = new List<string>();
        isMoving = false;
        foreach (var name in sources.Keys.Union(_handled.Keys).Union(_seen.Keys).Where(name => isBusy?.Invoke(name) != true).ToList())
        {
            var stamp = sources.TryGetValue(name, out var source) ? source.Stamp : Gone;
            if (_handled.GetValueOrDefault(name, Gone) == stamp)
            {
                _seen.Remove(name);
            }
            else if (!_seen.TryGetValue(name, out var seen) || seen.Stamp != stamp)
            {
                _seen[name] = (stamp, time.GetTimestamp());
                isMoving = true;
            }
            else if (time.GetElapsedTime(seen.Since) >= settleTime)
            {
                settled.Add(name);
            }
            else
            {
                isMoving = true;
            }
        }

        return settled;
    }

    /// <summary>It is to be handled again, also if it does not change.</summary>
    public void Forget(string name) => _handled.Remove(name);

    /// <summary>It was taken, found broken, or removed.</summary>
    public void Handled(string name, DroppedPlugin? source)
    {
        if (source is null)
        {
            _handled.Remove(name);
        }
        else
        {
            _handled[name] = source.Stamp;
        }
    }
}
