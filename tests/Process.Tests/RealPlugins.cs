using System.Collections.Concurrent;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>A pool for each plugin that a suite uses, for all of its tests: none of them harms a worker.</summary>
public sealed class RealPlugins : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<Task<SandboxPool>>> _pools = new();

    public Task<SandboxPool> PoolAsync(string plugin) =>
        _pools.GetOrAdd(plugin, name => new Lazy<Task<SandboxPool>>(() => Pools.StartAsync(Path.Combine(Repository.Plugins, name)))).Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var pool in _pools.Values)
        {
            await (await pool.Value).DisposeAsync();
        }
    }
}

/// <summary>SQL that makes rows without a table.</summary>
internal static class Numbers
{
    public static string UpTo(int last) => $"with recursive n(i) as (select 1 union all select i + 1 from n where i < {last}) select i from n";

    /// <summary>After its last row the query goes on computing.</summary>
    public static string FirstOfEndless(int rows) => $"with recursive n(i) as (select 1 union all select i + 1 from n) select i from n where i <= {rows}";
}
