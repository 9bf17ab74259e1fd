using System.Collections.Concurrent;

namespace ProcessPool.Telemetry;

/// <summary>Every pool of this process that runs, for those who look from outside. Thread-safe.</summary>
internal static class RunningPools
{
    private static readonly ConcurrentDictionary<PoolView, bool> Views = new();

    public static IEnumerable<PoolView> All => Views.Keys;

    public static void Add(PoolView pool)
    {
        Views.TryAdd(pool, true);
        Instruments.Observe();
    }

    public static void Remove(PoolView pool) => Views.TryRemove(pool, out _);
}
