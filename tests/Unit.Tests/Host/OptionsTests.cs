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
            MinWorkers = 0,
            MaxMessageBytes = 1,
            StartTimeout = TimeSpan.Zero,
            CallTimeout = TimeSpan.FromSeconds(-1),
            CancelGrace = TimeSpan.FromSeconds(-1),
            StopTimeout = TimeSpan.FromSeconds(-1),
            WorkingDirectory = "/no/such/folder",
            QueueTimeout = TimeSpan.Zero,
            Standby = -1,
            MemoryLimit = 1,
            Debug = true,
            Restart = new RestartPolicy { MaxRestarts = -1, Window = TimeSpan.Zero, FirstDelay = TimeSpan.FromSeconds(-1), MaxDelay = TimeSpan.FromSeconds(-2) },
            Recycle = new RecyclePolicy { AfterCalls = 0, AfterLifetime = TimeSpan.Zero, AfterIdle = TimeSpan.FromDays(365), AboveMemory = 1, Jitter = double.NaN },
        };
        options.Environment["A=B"] = "c";
        options.Environment["Z"] = "\0";
        options.WhenFull = (WhenFull)9;
        options.Gpu = (GpuAccess)9;
        options.Retries = 4;
        options.MaxCallbacksPerSecond = 0;
        options.Contracts.Add(typeof(ContractProxyTests.IUnsupported));
        options.Expose<ContractProxyTests.IUnsupported>(Moq.Mock.Of<ContractProxyTests.IUnsupported>());
        options.Expose<IStreaming>(Moq.Mock.Of<IStreaming>());
        options.Expose<IStreaming>(Moq.Mock.Of<IStreaming>());
        var fault = Assert.Throws<ArgumentException>(() => new SandboxPool(options));
        foreach (var name in new[] { "Plugin", "Name", "MinWorkers is 0", "QueueCapacity", "MaxMessageBytes", "StartTimeout", "CallTimeout", "CancelGrace", "StopTimeout", "/no/such/folder", "A=B",
            "QueueTimeout", "Standby", "MemoryLimit is 1", "do not go with Debug", "Restart.MaxRestarts", "Restart.Window", "Restart.FirstDelay", "Restart.MaxDelay",
            "Recycle.AfterCalls", "Recycle.AfterLifetime", "Recycle.AfterIdle", "Recycle.AboveMemory is 1, but workers are killed at MemoryLimit", "Recycle.Jitter",
            "zero character", "WhenFull is 9", "Gpu is 9", "Retries is 4", "MaxCallbacksPerSecond", "IUnsupported cannot be called", "IStreaming cannot be exposed", "IStreaming.ReadAsync is exposed twice" })
        {
            Assert.Contains(name, fault.Message);
        }
    }

    public interface IStreaming
    {
        IAsyncEnumerable<int> ReadAsync();
    }

    [Fact]
    public async Task Options_of_a_call_out_of_range_are_refused_before_it_is_made()
    {
        var pool = new SandboxPool(new SandboxPoolOptions { Plugin = "plugin" });
        await Assert.ThrowsAsync<ArgumentException>(() => pool.InvokeAsync("Do", [], new CallOptions { Timeout = TimeSpan.Zero }));
        await Assert.ThrowsAsync<ArgumentException>(() => pool.InvokeAsync("Do", [], new CallOptions { Priority = (CallPriority)7 }));
        Assert.Throws<ArgumentException>(() => pool.CreateBatch<int>(1, new CallOptions { Timeout = TimeSpan.FromDays(365) }));
        await Assert.ThrowsAsync<ArgumentException>(() => pool.LeaseAsync(new CallOptions { Retries = -1 }));
        Assert.Throws<ArgumentException>(() => pool.StreamAsync<int>("Do", options: new CallOptions { Retries = 4 }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => pool.StopAsync(deadline: TimeSpan.FromSeconds(-1)));
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
