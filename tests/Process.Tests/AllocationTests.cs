using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>What a call costs, counted in bytes that the host allocates: a guard against changes that make it cost more. Not seconds: those are bench's.</summary>
[Collection(nameof(Alone))]
public sealed class AllocationTests
{
    private const int Calls = 1_000;

    private static readonly string Plugin = PluginSource.Members("[EntryPoint] public static int Square(int value) => value * value;", "Squares");

    [Fact]
    public async Task A_call_by_itself_and_an_item_of_a_map_allocate_no_more_than_they_did()
    {
        await using var pool = await Pools.StartAsync(Plugin);
        await CallAsync();
        await MapAsync();

        // Unoptimized code, which this is in a debug build, keeps more on the heap: 2,004 bytes a call and 95 an item otherwise.
        Assert.InRange(await LeastAsync(CallAsync), 0, 4_000);
        Assert.InRange(await LeastAsync(MapAsync), 0, 1_500);

        async Task CallAsync()
        {
            for (var i = 0; i < Calls; i++)
            {
                await pool.InvokeAsync<int>("Square", [7]);
            }
        }

        async Task MapAsync() => Assert.Equal(Calls, await pool.MapAsync<int, int>("Square", Enumerable.Range(0, Calls)).CountAsync());
    }

    // Of several: what the rest of this program allocates meanwhile is not the pool's.
    private static async Task<long> LeastAsync(Func<Task> work)
    {
        var least = long.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await work();
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / Calls);
        }

        return least;
    }
}
