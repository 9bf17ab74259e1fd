using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ProcessPool.TestKit;
using SamplePlugin;

namespace ProcessPool.Process.Tests.Hosting;

/// <summary>An application with pools among its services.</summary>
public sealed class HostedPoolTests
{
    private static readonly string Patient = PluginSource.Members("""
        [EntryPoint] public static async Task<int> Wait(string until) { while (!File.Exists(until)) { await Task.Delay(5); } return 7; }
        [EntryPoint] public static string Variable(string name) => Environment.GetEnvironmentVariable(name);
        """, "Patient");

    [Fact]
    public async Task A_pool_starts_with_the_host_serves_by_its_key_and_is_healthy()
    {
        var builder = Builder();
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("Pools:Text:MinWorkers", (string?)"1"), KeyValuePair.Create("Pools:Text:Workers", (string?)"1")]);
        builder.Services.AddSandboxPool("text", options => options.Plugin = Repository.SamplePlugin).BindConfiguration("Pools:Text").AddContract<ITextAnalyzer>();
        builder.Services.AddHealthChecks().AddSandboxPool("text");
        using var host = builder.Build();
        await host.StartAsync().Within("the host starts");
        Assert.Equal(3, (await host.Services.GetRequiredKeyedService<ITextAnalyzer>("text").AnalyzeAsync("a b c").Within("the call ends")).Words);
        Assert.Equal(HealthStatus.Healthy, (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Status);

        await host.StopAsync().Within("the host stops");
        Assert.Equal(HealthStatus.Unhealthy, (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Status);
    }

    [Fact]
    public async Task A_host_that_stops_finishes_the_calls_that_were_made_and_takes_no_more()
    {
        var signal = Path.Combine(PluginSource.NewFolder("signal"), "go");
        var builder = Builder();
        builder.Services.AddSandboxPool(options => (options.Plugin, options.Workers) = (Patient, 1));
        using var host = builder.Build();
        await host.StartAsync().Within("the host starts");
        var pool = host.Services.GetRequiredService<SandboxPool>();
        var call = pool.InvokeAsync<int>("Wait", [signal]);
        var stopped = host.StopAsync();
        await Until.HoldsAsync(() => pool.State == PoolState.Stopping, "the pool drains");
        await Assert.ThrowsAsync<CallRejectedException>(() => pool.InvokeAsync<int>("Wait", [signal]));
        await File.WriteAllTextAsync(signal, "");
        Assert.Equal(7, await call.Within("the call ends"));
        await stopped.Within("the host stops");
        Assert.Equal(PoolState.Stopped, pool.State);
    }

    [Fact]
    public async Task Calls_that_do_not_end_in_time_are_ended_and_the_host_stops()
    {
        var builder = Builder();
        builder.Services.AddSandboxPool("slow", options => (options.Plugin, options.Workers) = (Patient, 1)).ConfigureLife(life => life.DrainTimeout = TimeSpan.Zero);
        using var host = builder.Build();
        await host.StartAsync().Within("the host starts");
        var call = host.Services.GetRequiredKeyedService<SandboxPool>("slow").InvokeAsync<int>("Wait", ["/no/such/file"]);
        await host.StopAsync().Within("the host stops");
        await Assert.ThrowsAsync<CallRejectedException>(() => call.Within("the call is ended"));
    }

    [Fact]
    public async Task A_plugin_that_cannot_be_loaded_ends_the_start_of_the_host()
    {
        var builder = Builder();
        builder.Services.AddSandboxPool("none", options => options.Plugin = PluginSource.NewFolder("empty"));
        using var host = builder.Build();
        Assert.Contains("has no DLL", (await Assert.ThrowsAsync<PluginLoadException>(() => host.StartAsync().Within("the start fails"))).Message);
    }

    [Fact]
    public async Task A_watched_folder_is_a_service_too()
    {
        var builder = Builder();
        var drop = PluginSource.NewFolder("drop");
        builder.Services.AddPluginCatalog(options =>
        {
            (options.Directory, options.SnapshotDirectory) = (drop, PluginSource.NewFolder("snapshots"));
            options.ConfigurePool = (_, pool) => pool.Workers = 1;
        });
        File.Copy(Path.Combine(Patient, "Patient.dll"), Path.Combine(drop, "Patient.dll"));
        using var host = builder.Build();
        await host.StartAsync().Within("the host starts");
        var catalog = host.Services.GetRequiredService<PluginCatalog>();
        await Until.HoldsAsync(() => catalog.Plugins.Any(plugin => plugin.Name == "Patient"), "the plugin is found");
        Assert.Null(await catalog.GetPool("Patient").InvokeAsync<string>("Variable", ["NO_SUCH_VARIABLE"]).Within("the call ends"));
        await host.StopAsync().Within("the host stops");
    }

    private static HostApplicationBuilder Builder()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        return builder;
    }
}
