using System.Collections.Concurrent;

namespace ProcessPool.Telemetry;

/// <summary>How many workers of a pool have ended, by reason. Thread-safe.</summary>
internal sealed class ExitCounts
{
    private readonly ConcurrentDictionary<string, int> _counts = new();

    public void Add(string reason) => _counts.AddOrUpdate(reason, 1, (_, count) => count + 1);

    /// <summary>Such as <c>crash=2 timeout=1</c>, by name.</summary>
    public override string ToString() => string.Join(' ', _counts.OrderBy(each => each.Key, StringComparer.Ordinal).Select(each => $"{each.Key}={each.Value}"));
}
