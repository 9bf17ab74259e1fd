using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using ProcessPool.Testing;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Hosting;

/// <summary>Pools among the services of an application, without any process.</summary>
public sealed class PoolServicesTests
{
    [Fact]
    public void Two_pools_of_one_name_are_refused()
    {
        var services = new ServiceCollection();
        services.AddSandboxPool("pdf");
        services.AddSandboxPool();
        Assert.Contains("There is a sandbox pool 'pdf' already", Assert.Throws<InvalidOperationException>(() => services.AddSandboxPool("pdf")).Message);
        Assert.Contains("without a name already", Assert.Throws<InvalidOperationException>(() => services.AddSandboxPool()).Message);
        Assert.Throws<ArgumentException>(() => services.AddSandboxPool(" "));
        services.AddPluginCatalog(_ => { });
        Assert.Contains("a plugin catalog already", Assert.Throws<InvalidOperationException>(() => services.AddPluginCatalog(_ => { })).Message);
    }

    [Fact]
    public async Task What_is_wrong_with_options_and_configuration_is_said_at_once_when_the_host_starts()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("Pools:Pdf:Wokers", (string?)"4"), KeyValuePair.Create("Pools:Pdf:CallTimeout", (string?)"soon")]);
        builder.Services.AddSandboxPool("pdf", options => options.Standby = -1).BindConfiguration("Pools:Pdf").ConfigureLife(life => life.DrainTimeout = TimeSpan.FromDays(30));
        builder.Services.AddPluginCatalog(options => options.Directory = "/not/there");
        builder.Logging.ClearProviders();
        using var host = builder.Build();
        var message = Flatten(await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync()));
        Assert.All(
            ["Sandbox pool 'pdf': Plugin is not set", "Sandbox pool 'pdf': Standby is -1", "Pools:Pdf:Wokers is not known. Did you mean Workers?", "Pools:Pdf:CallTimeout is 'soon'", "DrainTimeout", "Plugin catalog: Directory '/not/there' does not exist"],
            (string fault) => Assert.Contains(fault, message));
        await host.StopAsync().Within("a host that did not start stops");
    }

    [Fact]
    public async Task A_pool_has_its_key_and_the_one_without_a_name_has_none()
    {
        var time = new FakeTimeProvider();
        var services = new ServiceCollection().AddSingleton<TimeProvider>(time);
        services.AddSandboxPool("pdf", options => options.Plugin = "a").AddContract<IContract>();
        services.AddSandboxPool(options => options.Plugin = "b");
        await using var provider = services.BuildServiceProvider();
        var pool = provider.GetRequiredKeyedService<SandboxPool>("pdf");
        Assert.Equal(("pdf", "b", true), (pool.Name, provider.GetRequiredService<SandboxPool>().Name, ReferenceEquals(time, pool.Time)));
        Assert.NotNull(provider.GetRequiredKeyedService<IContract>("pdf"));
        Assert.Contains(typeof(IContract), provider.GetRequiredService<IOptionsMonitor<SandboxPoolOptions>>().Get("pdf").Contracts);
        Assert.Equal(2, provider.GetServices<IHostedService>().Count());
    }

    [Fact]
    public async Task A_pool_that_has_not_started_is_not_healthy()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddSandboxPool("pdf", options => options.Plugin = "a");
        services.AddHealthChecks().AddSandboxPool("pdf", tags: ["ready"]);
        await using var provider = services.BuildServiceProvider();
        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal((HealthStatus.Unhealthy, "Pool pdf takes no calls: it is Created."), (report.Status, report.Entries["sandbox-pool-pdf"].Description));
    }

    [Fact]
    public async Task A_check_of_a_pool_that_was_not_added_fails_and_says_so()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddHealthChecks().AddSandboxPool("zzz");
        await using var provider = services.BuildServiceProvider();
        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal(HealthStatus.Unhealthy, report.Status);
        Assert.StartsWith("There is no sandbox pool 'zzz'", report.Entries["sandbox-pool-zzz"].Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pool_of_a_test_takes_the_place_of_the_applications()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSandboxPool("pdf", options => options.Plugin = "not/there").AddContract<IContract>();
        builder.Services.AddHealthChecks().AddSandboxPool("pdf");
        builder.Services.AddKeyedSingleton("pdf", new TestPool().Add("Square", (long value) => value * value).Add<IContract>(new One()).Create());
        using var host = builder.Build();
        await host.StartAsync().Within("the host starts");
        var pool = host.Services.GetRequiredKeyedService<SandboxPool>("pdf");
        Assert.Equal(PoolState.Running, pool.State);
        Assert.Equal(49, await pool.InvokeAsync<long>("Square", [7]).Within("the call ends"));
        Assert.Equal(1, await host.Services.GetRequiredKeyedService<IContract>("pdf").OneAsync().Within("the call ends"));
        Assert.Equal(HealthStatus.Healthy, (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Status);
        await host.StopAsync().Within("the host stops");
        Assert.Equal(PoolState.Stopped, pool.State);
    }

    private static string Flatten(Exception exception) => exception is AggregateException many ? string.Join('\n', many.InnerExceptions.Select(Flatten)) : exception.Message;

    public interface IContract
    {
        Task<int> OneAsync();
    }

    private sealed class One : IContract
    {
        public Task<int> OneAsync() => Task.FromResult(1);
    }
}
