using GreetingPlugin.Contract;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>A plugin with dependency injection and logging of its own, in versions of its own.</summary>
public sealed class GreetingPluginTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_plugin_is_made_by_dependency_injection_and_its_log_reaches_the_host_under_its_category(bool debug)
    {
        var log = new RecordingLogger();
        var options = Pools.Options(Path.Combine(Repository.Plugins, "GreetingPlugin"), debug: debug, log: log);
        options.Settings["salutation"] = "Good morning";
        await using var pool = await SandboxPool.StartAsync(options);
        Assert.Equal("Good morning, Ada!", await pool.GetProxy<IGreeter>().GreetAsync("Ada"));
        var line = await log.WaitForAsync(text => text.Contains("Greeting Ada.", StringComparison.Ordinal), "the plugin's line");
        Assert.Equal("test-0: [GreetingPlugin.Greeter] Greeting Ada.", line);
    }
}
