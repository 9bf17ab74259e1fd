namespace ProcessPool.Unit.Tests.Host;

public sealed class OptionsTests
{
    [Fact]
    public void All_faults_are_reported_at_once()
    {
        var options = new SandboxPoolOptions
        {
            Name = " ",
            QueueCapacity = 0,
            MaxMessageBytes = 1,
            StartTimeout = TimeSpan.Zero,
            CallTimeout = TimeSpan.FromSeconds(-1),
            CancelGrace = TimeSpan.FromSeconds(-1),
            StopTimeout = TimeSpan.FromSeconds(-1),
            WorkingDirectory = "/no/such/folder",
        };
        options.Environment["A=B"] = "c";
        var fault = Assert.Throws<ArgumentException>(() => new SandboxPool(options));
        foreach (var name in new[] { "Plugin", "Name", "QueueCapacity", "MaxMessageBytes", "StartTimeout", "CallTimeout", "CancelGrace", "StopTimeout", "/no/such/folder", "A=B" })
        {
            Assert.Contains(name, fault.Message);
        }
    }

    [Fact]
    public void Later_changes_of_the_options_have_no_effect()
    {
        var options = new SandboxPoolOptions { Plugin = "plugins/Some", Workers = 1 };
        var settings = PoolSettings.From(options);
        options.Environment["A"] = "b";
        Assert.Empty(settings.Environment);
        Assert.Equal(16, settings.QueueCapacity);
        Assert.Equal("Some", new SandboxPool(options).Name);
    }

    [Fact]
    public async Task Calls_before_the_start_are_rejected()
    {
        var pool = new SandboxPool(new SandboxPoolOptions { Plugin = "plugin" });
        Assert.Equal((PoolState.Created, false), (pool.State, pool.IsRunning));
        Assert.Equal(RejectionReason.NotStarted, (await Assert.ThrowsAsync<CallRejectedException>(() => pool.InvokeAsync("Do"))).Reason);
        await pool.StopAsync();
    }
}
