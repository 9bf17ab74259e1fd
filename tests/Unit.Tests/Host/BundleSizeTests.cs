using System.Collections.Concurrent;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>How many items of a map go together. No process, no real time.</summary>
public sealed class BundleSizeTests
{
    private const int Items = 1_000;

    private readonly string _plugin = PluginSource.Members("[EntryPoint] public static int Do(int item) => item;", "Bundled");
    private readonly ConcurrentQueue<FakeWorker> _workers = [];

    [Theory]
    [InlineData(null, 64, 512)]
    [InlineData(200, 20, 20)]
    [InlineData(1, 1, 1)]
    public async Task They_are_a_tenth_at_most_of_the_calls_after_which_a_worker_is_replaced(int? afterCalls, int least, int most)
    {
        await using var pool = await StartAsync(options => options.Recycle = new RecyclePolicy { AfterCalls = afterCalls });
        await MapAsync(pool);
        Assert.InRange(Sizes.Max(), least, most);
    }

    [Fact]
    public async Task While_a_worker_that_has_served_its_calls_waits_for_its_replacement_they_go_alone()
    {
        await using var pool = await StartAsync(options => options.Recycle = new RecyclePolicy { AfterCalls = 200, Jitter = 0 }, replacement: new TaskCompletionSource<IWorker>().Task);
        await MapAsync(pool);
        Assert.InRange(Sizes.Where(size => size > 1).Sum(), 200, 200 + (3 * 20));
    }

    [Fact]
    public async Task However_long_a_call_may_wait_and_whatever_the_host_offers_they_go_together()
    {
        await using var pool = await StartAsync(options =>
        {
            options.QueueTimeout = TimeSpan.FromMilliseconds(100);
            options.Expose<IOffered>(Moq.Mock.Of<IOffered>());
        });
        await MapAsync(pool);
        Assert.InRange(Sizes.Max(), 64, 512);
    }

    [Fact]
    public async Task Where_calls_may_wait_for_less_than_a_tenth_of_a_second_they_go_alone()
    {
        await using var pool = await StartAsync(options => options.QueueTimeout = TimeSpan.FromMilliseconds(99));
        await MapAsync(pool);
        Assert.Equal(1, Sizes.Max());
    }

    public interface IOffered
    {
        Task AskAsync();
    }

    private IEnumerable<int> Sizes => _workers.SelectMany(worker => worker.Chunks).Append(1);

    private async Task<SandboxPool> StartAsync(Action<SandboxPoolOptions> change, Task<IWorker>? replacement = null)
    {
        var options = new SandboxPoolOptions { Plugin = _plugin, Name = "p", Workers = 1, TimeProvider = new WatchedTime() };
        change(options);
        var pool = new SandboxPool(options, (_, _, _) => new FakeLauncher(number => number > 1 && replacement is not null ? replacement : Task.FromResult<IWorker>(Track())));
        await pool.StartAsync();
        var chunks = pool.Version!.Supervisor.Chunks;
        while (chunks.Of("Do") < 64)
        {
            chunks.Ran("Do", 64, options.TimeProvider.GetTimestamp());
        }

        return pool;
    }

    private static async Task MapAsync(SandboxPool pool)
    {
        var outcomes = await pool.MapAsync<int, int>("Do", Enumerable.Range(0, Items)).ToListAsync().AsTask().Within("the map ends");
        Assert.All(outcomes, outcome => Assert.Null(outcome.Error));
    }

    private FakeWorker Track()
    {
        var worker = PoolRig.Answering();
        _workers.Enqueue(worker);
        return worker;
    }
}
