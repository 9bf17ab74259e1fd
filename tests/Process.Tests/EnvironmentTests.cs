using ProcessPool.Launch;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>What a sandbox finds around it. The rules themselves are tested without processes.</summary>
[Collection(nameof(Alone))]
public sealed class EnvironmentTests
{
    private static readonly string Curious = PluginSource.Members("""
        [EntryPoint] public static string Read(string name) => Environment.GetEnvironmentVariable(name);
        [EntryPoint] public static string WorkingDirectory() => Directory.GetCurrentDirectory();
        [EntryPoint] public static void Litter() { Directory.CreateDirectory("a/b"); File.WriteAllText("a/b/c", "x"); File.CreateSymbolicLink("link", "/"); }
        [EntryPoint] public static int Depth() => AppContext.GetData("PROCESSPOOL_DEPTH") is AsyncLocal<int> depth ? depth.Value : int.Parse(Environment.GetEnvironmentVariable("PROCESSPOOL_DEPTH"));
        [EntryPoint] public static int Processors() => Environment.ProcessorCount;
        """, "Curious");

    [Fact]
    public async Task Every_worker_has_its_own_variables()
    {
        var options = Pools.Options(Curious, workers: 2);
        options.Environment["WHO"] = "{pool}/{worker}";
        await using var pool = await SandboxPool.StartAsync(options);
        var seen = new HashSet<string>();
        for (var round = 0; seen.Count < 2 && round < 10_000; round++)
        {
            seen.UnionWith(await Task.WhenAll(pool.InvokeAsync<string>("Read", ["WHO"]), pool.InvokeAsync<string>("Read", ["WHO"])).Within("a worker answers"));
        }

        Assert.Equal(["test/0", "test/1"], seen.Order());
        Assert.Equal("-1", await pool.InvokeAsync<string>("Read", ["CUDA_VISIBLE_DEVICES"]));
        Assert.Equal("1", await pool.InvokeAsync<string>("Read", ["OMP_NUM_THREADS"]));
        Assert.Equal(Math.Max(1, Environment.ProcessorCount / 2), await pool.InvokeAsync<int>("Processors"));
    }

    [Fact]
    public async Task The_scratch_folder_is_private_and_goes_with_its_worker()
    {
        Pools.SkipWhenConfined("makes links");
        await using var pool = await Pools.StartAsync(Curious);
        var scratch = await pool.InvokeAsync<string>("WorkingDirectory");
        Assert.NotEqual(Directory.GetCurrentDirectory(), scratch);
        await pool.InvokeAsync("Litter");
        Assert.True(File.Exists(Path.Combine(scratch, "a/b/c")));
        await pool.StopAsync();
        Assert.False(Directory.Exists(scratch), $"Expected {scratch} to be deleted.");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_plugin_is_inside_one_pool_more_than_its_host(bool debug)
    {
        await using var pool = await Pools.StartAsync(Curious, debug: debug);
        Assert.Equal(1, await pool.InvokeAsync<int>("Depth"));
        await using var beside = await Pools.StartAsync(Curious, debug: debug);
        Assert.Equal(1, await beside.InvokeAsync<int>("Depth"));
    }

    [Fact]
    public async Task Pools_that_start_pools_end_with_a_clear_error()
    {
        Environment.SetEnvironmentVariable("PROCESSPOOL_DEPTH", "4");
        try
        {
            var refused = await Assert.ThrowsAsync<WorkerStartException>(() => Pools.StartAsync(Curious));
            Assert.Contains("4 pools around this code", refused.Message);
        }
        finally
        {
            Environment.SetEnvironmentVariable("PROCESSPOOL_DEPTH", null);
        }

        // In debug mode nobody has an environment of its own: the flow of execution counts.
        await Task.Run(async () =>
        {
            PoolDepth.EnterInProcess(4);
            await Assert.ThrowsAsync<WorkerStartException>(() => Pools.StartAsync(Curious, debug: true));
        });
    }
}
