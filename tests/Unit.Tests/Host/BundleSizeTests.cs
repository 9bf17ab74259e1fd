using System.Collections.Concurrent;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>How many items of a map go together. No process.</summary>
public sealed class BundleSizeTests
{
    private readonly ConcurrentBag<FakeWorker> _workers = [];

    [Theory]
    [InlineData(null, 64)]
    [InlineData(200, 20)]
    [InlineData(1, 1)]
    public async Task They_are_a_tenth_at_most_of_the_calls_after_which_a_worker_is_replaced(int? afterCalls, int most)
    {
        var plugin = PluginSource.Members("[EntryPoint] public static int Do(int item) => item;", "Bundled");
        var options = new SandboxPoolOptions { Plugin = plugin, Name = "p", Workers = 1, Recycle = new RecyclePolicy { AfterCalls = afterCalls } };
        await using var pool = new SandboxPool(options, (_, _, _) => new FakeLauncher(_ => Task.FromResult<ProcessPool.Workers.IWorker>(Track())));
        await pool.StartAsync();
        var chunks = pool.Version!.Supervisor.Chunks;
        while (chunks.Of("Do") < 64)
        {
            chunks.Ran("Do", 64, TimeProvider.System.GetTimestamp());
        }

        var outcomes = await pool.MapAsync<int, int>("Do", Enumerable.Range(0, 1_000)).ToListAsync().AsTask().Within("the map ends");
        Assert.Equal(1_000, outcomes.Count(outcome => outcome.Error is null));
        var sizes = _workers.SelectMany(worker => worker.Chunks).DefaultIfEmpty(1).ToList();
        Assert.True(afterCalls is null ? sizes.Max() >= most : sizes.Max() == most, $"Expected bundles of {most}; they were of {string.Join(", ", sizes.Distinct())}.");
    }

    private FakeWorker Track()
    {
        var worker = PoolRig.Answering();
        _workers.Add(worker);
        return worker;
    }
}
