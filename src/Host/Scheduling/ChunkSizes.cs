using System.Collections.Concurrent;

namespace ProcessPool.Scheduling;

/// <summary>
/// How many calls of an entry point go in one message when many wait: one until it is known to be short, then twice as many each time until they take about a
/// millisecond. Callers never choose. Thread-safe.
/// </summary>
internal sealed class ChunkSizes(TimeProvider time)
{
    private const int Max = 512;

    /// <summary>Every chunk is this large, whatever it takes. For running a test suite with chunks; not set otherwise.</summary>
    private static readonly int Forced = int.TryParse(Environment.GetEnvironmentVariable("PROCESSPOOL_CHUNK"), out var size) ? size : 0;

    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(0.5);
    private static readonly TimeSpan Long = TimeSpan.FromMilliseconds(2);

    private readonly ConcurrentDictionary<string, (int Size, bool WasLong)> _sizes = new(StringComparer.Ordinal);

    public int Of(string entryPoint) => Forced > 0 ? Forced : _sizes.TryGetValue(entryPoint, out var sizes) ? sizes.Size : 1;

    /// <summary>So many calls took from this timestamp until now.</summary>
    public void Ran(string entryPoint, int count, long since)
    {
        var (size, wasLong) = _sizes.GetValueOrDefault(entryPoint, (1, false));
        var took = time.GetElapsedTime(since);
        if (took < Short && count >= size && size < Max)
        {
            _sizes[entryPoint] = (size * 2, false);
        }
        else if (took > Long && size > 1 || wasLong && count > 1)
        {
            // Once may be this machine's doing, or a collection's; twice in a row is theirs. Calls that were taken back and run alone say nothing of it.
            _sizes[entryPoint] = took <= Long ? (size, false) : wasLong ? (Math.Max(1, size / 2), false) : (size, true);
        }
    }

    /// <summary>One of them killed its worker.</summary>
    public void Failed(string entryPoint) => _sizes[entryPoint] = (1, false);
}
