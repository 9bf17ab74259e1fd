using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>Plugins that cannot start: each a typed error that names the thing and the remedy. What metadata shows is tested without processes.</summary>
public sealed class BadPluginTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_constructor_that_throws_fails_the_start(bool debug)
    {
        var plugin = PluginSource.Types("""
            public interface IContract { Task DoAsync(); }
            [EntryPoint] public class Broken : IContract
            {
                public Broken() => throw new InvalidTimeZoneException("no licence");
                public Task DoAsync() => Task.CompletedTask;
            }
            """, "ThrowsInConstructor");
        var failed = await Assert.ThrowsAsync<PluginLoadException>(() => Pools.StartAsync(plugin, workers: 2, debug));
        Assert.Equal((LoadStage.Activate, "System.InvalidTimeZoneException"), (failed.Stage, failed.Error!.Type));
        Assert.Contains("no licence", failed.Message);
    }

    [Fact]
    public async Task A_missing_dependency_is_named_with_the_place_where_it_belongs()
    {
        var folder = PluginSource.NewFolder("NeedsOther");
        var other = Path.Combine(folder, "Other.dll");
        PluginSource.Compile(other, "public class Base { public virtual int Value => 1; }");
        PluginSource.Compile(Path.Combine(folder, "NeedsOther.dll"), "public class Derived : Base { [EntryPoint] public static int Value1() => new Derived().Value; }", other);
        File.Delete(other);
        var failed = await Assert.ThrowsAsync<PluginLoadException>(() => Pools.StartAsync(folder));
        Assert.Contains("Other", failed.Message);
        Assert.Contains(folder, failed.Message);
    }

    [Theory]
    [InlineData("while (true) { }", "did not get from stage")]
    [InlineData("Environment.Exit(7);", "exit code 7")]
    public async Task A_start_that_hangs_or_dies_says_at_which_stage(string constructor, string message)
    {
        var plugin = PluginSource.Types($$"""
            public interface IContract { Task DoAsync(); }
            [EntryPoint] public class Broken : IContract
            {
                public Broken() { {{constructor}} }
                public Task DoAsync() => Task.CompletedTask;
            }
            """, "DiesInConstructor");
        var options = Pools.Options(plugin);
        options.StartTimeout = TimeSpan.FromSeconds(5);
        var failed = await Assert.ThrowsAsync<WorkerStartException>(() => SandboxPool.StartAsync(options).Within("the start fails"));
        Assert.Contains(message, failed.Message);
        Assert.Contains("'Loaded'", failed.Message);
    }

    [Fact]
    public async Task Stopping_gives_up_a_start_that_hangs()
    {
        var plugin = PluginSource.Types("""
            public interface IContract { Task DoAsync(); }
            [EntryPoint] public class Slow : IContract
            {
                public Slow() { Console.WriteLine("constructing"); Thread.Sleep(Timeout.Infinite); }
                public Task DoAsync() => Task.CompletedTask;
            }
            """, "NeverReady");
        var log = new RecordingLogger();
        await using var pool = new SandboxPool(Pools.Options(plugin, log: log));
        var start = pool.StartAsync();
        await await Task.WhenAny(start, log.WaitForAsync(line => line.Contains("constructing", StringComparison.Ordinal), "the plugin is being constructed"));
        await pool.StopAsync().Within("the pool stops");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => start.Within("the start is given up"));
        Assert.Equal(PoolState.Stopped, pool.State);
    }
}
