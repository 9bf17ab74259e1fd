using System.Text.Json.Serialization;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Faults;

/// <summary>Each fault in each phase of a call: the call settles with the right type, and the next one is served.</summary>
public sealed class FaultGridTests(FaultyPoolFixture fixture) : IClassFixture<FaultyPoolFixture>
{
    private static readonly CallOptions Impatient = new() { Timeout = TimeSpan.FromSeconds(1) };

    private SandboxPool Pool => fixture.Pool;

    [Fact]
    public async Task While_the_host_writes_the_arguments()
    {
        var error = await Assert.ThrowsAsync<CallArgumentException>(() => Pool.InvokeAsync("Argument", [new ThrowingArgument()]));
        Assert.Equal(Execution.NotStarted, error.Execution);
        await NextIsServedAsync();
    }

    [Fact]
    public async Task While_the_host_reads_the_result()
    {
        var error = await Assert.ThrowsAsync<CallArgumentException>(() => Pool.InvokeAsync<ThrowingResult>("Result", ["none"]));
        Assert.Equal(Execution.Started, error.Execution);
        await NextIsServedAsync();
    }

    [Theory]
    [InlineData("exception", typeof(CallArgumentException))]
    [InlineData("exit0", typeof(WorkerCrashedException), CrashReason.ExitCalled)]
    [InlineData("exit3", typeof(WorkerCrashedException), CrashReason.ExitCalled)]
    [InlineData("segfault", typeof(WorkerCrashedException), CrashReason.Crashed)]
    [InlineData("overflow", typeof(WorkerCrashedException), CrashReason.StackOverflow)]
    [InlineData("loop", typeof(CallTimeoutException))]
    [InlineData("memory", typeof(CallArgumentException))]
    public Task While_the_sandbox_reads_the_arguments(string fault, Type type, CrashReason? reason = null) =>
        CheckAsync("Argument", CallArguments.FromJson($$"""[{"Fault":"{{fault}}"}]"""), type, reason);

    [Theory]
    [InlineData("exception", typeof(PluginCallException))]
    [InlineData("exit0", typeof(WorkerCrashedException), CrashReason.ExitCalled)]
    [InlineData("exit3", typeof(WorkerCrashedException), CrashReason.ExitCalled)]
    [InlineData("segfault", typeof(WorkerCrashedException), CrashReason.Crashed)]
    [InlineData("overflow", typeof(WorkerCrashedException), CrashReason.StackOverflow)]
    [InlineData("loop", typeof(CallTimeoutException))]
    [InlineData("memory", typeof(PluginCallException))]
    public Task While_it_executes(string fault, Type type, CrashReason? reason = null) => CheckAsync("Execute", [fault], type, reason);

    [Theory]
    [InlineData("exception", typeof(CallArgumentException))]
    [InlineData("exit0", typeof(WorkerCrashedException), CrashReason.ExitCalled)]
    [InlineData("exit3", typeof(WorkerCrashedException), CrashReason.ExitCalled)]
    [InlineData("segfault", typeof(WorkerCrashedException), CrashReason.Crashed)]
    [InlineData("overflow", typeof(WorkerCrashedException), CrashReason.StackOverflow)]
    [InlineData("loop", typeof(CallTimeoutException))]
    public Task While_the_sandbox_writes_the_result(string fault, Type type, CrashReason? reason = null) => CheckAsync("Result", [fault], type, reason);

    [Theory]
    [InlineData("exception")]
    [InlineData("exit0")]
    [InlineData("exit3")]
    [InlineData("segfault")]
    [InlineData("overflow")]
    public async Task After_the_result_was_sent(string fault)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The fault calls the C library.");
        fixture.Log.Clear();
        var signal = Path.Combine(PluginSource.NewFolder(), "over");
        Assert.Equal(1, await Pool.InvokeAsync<long>("Afterwards", [fault, signal]).Within("the call settles"));
        await File.WriteAllTextAsync(signal, "");
        await fixture.Log.WaitForAsync(line => line.Contains(" died: ", StringComparison.Ordinal), "the worker's death is noticed while it is idle");
        await NextIsServedAsync();
    }

    [Theory]
    [InlineData("exception", typeof(PluginLoadException))]
    [InlineData("exit0", typeof(WorkerStartException))]
    [InlineData("exit3", typeof(WorkerStartException))]
    [InlineData("segfault", typeof(WorkerStartException))]
    [InlineData("overflow", typeof(WorkerStartException))]
    [InlineData("loop", typeof(WorkerStartException))]
    public async Task While_the_plugin_is_constructed(string fault, Type type)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The fault calls the C library.");
        var options = Pools.Options(FaultyPlugin.Contract);
        options.Environment["FAULT_CONSTRUCT"] = fault;
        options.StartTimeout = TimeSpan.FromSeconds(fault == "loop" ? 5 : 30);
        Assert.IsType(type, await Record.ExceptionAsync(() => SandboxPool.StartAsync(options).Within("the start fails")));
    }

    [Theory]
    [InlineData("exception")]
    [InlineData("exit0")]
    [InlineData("exit3")]
    [InlineData("segfault")]
    [InlineData("overflow")]
    [InlineData("loop")]
    public async Task While_the_plugin_is_disposed(string fault)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The fault calls the C library.");
        var options = Pools.Options(FaultyPlugin.Contract);
        options.Environment["FAULT_DISPOSE"] = fault;
        options.StopTimeout = TimeSpan.FromSeconds(fault == "loop" ? 1 : 30);
        await using var pool = await SandboxPool.StartAsync(options);
        Assert.Equal(9, await pool.InvokeAsync<long>("IContract.SquareAsync", [3]));
        var report = await pool.StopAsync().Within("the pool stops");
        Assert.Equal(new StopReport(Completed: 0, Cancelled: 0, Killed: fault == "loop" ? 1 : 0), report);
    }

    private async Task CheckAsync(string entryPoint, CallArguments arguments, Type type, CrashReason? reason)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The fault calls the C library.");
        var isLoop = type == typeof(CallTimeoutException);
        var error = await Record.ExceptionAsync(() => Pool.InvokeAsync(entryPoint, arguments, isLoop ? Impatient : null).Within("the call settles"));
        Assert.IsType(type, error);
        Assert.Equal(reason, (error as WorkerCrashedException)?.Reason);
        Assert.Equal(entryPoint, ((SandboxPoolException)error!).EntryPoint);
        await NextIsServedAsync();
        if (error is PluginCallException { Error.Type: "System.OutOfMemoryException" })
        {
            await fixture.Log.WaitForAsync(line => line.Contains("is recycled (OutOfMemory)", StringComparison.Ordinal), "a worker that ran out of memory is recycled");
        }
    }

    private async Task NextIsServedAsync() => Assert.Equal(49, await Pool.InvokeAsync<long>("Square", [7]).Within("the next call is served"));

    private sealed class ThrowingArgument
    {
        public string Fault => throw new InvalidOperationException("on purpose");
    }

    private sealed class ThrowingResult
    {
        [JsonPropertyName("Fault")]
        public string Fault
        {
            get => "";
            set => throw new InvalidOperationException("on purpose");
        }
    }
}

/// <summary>One pool for the grid: every cell leaves it fit for the next.</summary>
public sealed class FaultyPoolFixture : IAsyncLifetime
{
    public RecordingLogger Log { get; } = new();

    public SandboxPool Pool { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var options = Pools.Options(FaultyPlugin.Folder, log: Log);

        // So that a plugin that hoards memory gets its exception soon: 200 MB, in hexadecimal.
        options.Environment["DOTNET_GCHeapHardLimit"] = "C800000";
        Pool = await SandboxPool.StartAsync(options);
    }

    public ValueTask DisposeAsync() => Pool.DisposeAsync();
}
