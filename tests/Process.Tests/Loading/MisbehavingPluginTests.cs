using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Loading;

/// <summary>Plugins whose first line of code is a fault, and what their messages look like.</summary>
public sealed class MisbehavingPluginTests
{
    [Theory]
    [InlineData("Environment.Exit(0);", "exit code 0")]
    [InlineData("Environment.FailFast(\"on purpose\");", "SIGABRT")]
    [InlineData("Down(0);", "SIGABRT")]
    public async Task A_constructor_that_ends_the_process_fails_the_start_and_says_how(string code, string message)
    {
        var folder = PluginSource.Types($$"""
            public interface IWork { Task DoAsync(); }
            [EntryPoint] public class Work : IWork
            {
                public Work() { {{code}} }
                public Task DoAsync() => Task.CompletedTask;
                private static int Down(int depth) => Down(depth + 1) + 1;
            }
            """, "Work");
        var options = Pools.Options(folder);
        options.Restart = new RestartPolicy { MaxRestarts = 0 };
        var error = await Assert.ThrowsAsync<WorkerStartException>(() => SandboxPool.StartAsync(options).Within("the start fails"));
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public async Task A_type_that_cannot_be_initialized_fails_its_calls_with_the_cause()
    {
        await using var pool = await Pools.StartAsync(PluginSource.Types("""
            public static class Bad { static Bad() => throw new InvalidOperationException("no licence"); public static int One() => 1; }
            public static class Plugin { [EntryPoint] public static int One() => Bad.One(); [EntryPoint] public static int Two() => 2; }
            """));
        var error = await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync<int>("One"));
        Assert.Contains("no licence", error.Error.ToString());
        Assert.Equal(2, await pool.InvokeAsync<int>("Two"));
    }

    [Fact]
    public async Task An_exception_in_ten_thousand_others_arrives_cut_short()
    {
        await using var pool = await Pools.StartAsync(PluginSource.Members("""
            [EntryPoint] public static void Throw()
            {
                var error = new Exception("0");
                for (var i = 1; i < 10_000; i++) error = new Exception(i.ToString(), error);
                throw error;
            }
            [EntryPoint] public static int One() => 1;
            """, "Deep"));
        var error = await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync("Throw"));
        var depth = 0;
        for (var inner = error.Error; inner is not null; inner = inner.Inner)
        {
            depth++;
        }

        Assert.Equal(("9999", 9), (error.Error.Message, depth));
        Assert.Equal(1, await pool.InvokeAsync<int>("One"));
    }

    [Fact]
    public async Task Standard_input_is_at_its_end_and_closing_it_harms_nothing()
    {
        await using var pool = await Pools.StartAsync(PluginSource.Members("""
            [DllImport("libc")] private static extern int close(int fd);
            [EntryPoint] public static string Read() => Console.ReadLine() ?? "end";
            [EntryPoint] public static int Close() => close(0);
            """, "Input"));
        Assert.Equal("end", await pool.InvokeAsync<string>("Read").Within("reading ends"));
        Assert.Equal(0, await pool.InvokeAsync<int>("Close"));
        Assert.Equal("end", await pool.InvokeAsync<string>("Read").Within("reading ends"));
    }
}
