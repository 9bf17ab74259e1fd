using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>A worker that dies fails the call it was executing, and nothing else.</summary>
public sealed class CrashFloorTests
{
    private static readonly string Deadly = PluginSource.Members("""
        [EntryPoint] public static long Square(long value) => value * value;
        [EntryPoint] public static int ProcessId() => Environment.ProcessId;
        [EntryPoint] public static void Exit(int code) => Environment.Exit(code);
        [EntryPoint] public static void ThrowLarge() => throw new Exception(new string('x', 100_000_000), new Exception(new string('y', 100_000_000)));
        [EntryPoint] public static void FailFast() => Environment.FailFast("on purpose");
        [EntryPoint] public static int Overflow(int depth) => depth < 0 ? depth : Overflow(depth + 1) + 1;
        [EntryPoint] public static void KillSelf() { kill(Environment.ProcessId, 9); Thread.Sleep(Timeout.Infinite); }
        [EntryPoint] public static int Segfault() => strlen(IntPtr.Zero);
        [EntryPoint] public static void UnhandledOnThread() { new Thread(() => throw new Exception("stray")).Start(); Thread.Sleep(Timeout.Infinite); }
        [EntryPoint] public static void Spin() { Console.WriteLine("spinning"); while (true) { } }
        [EntryPoint] public static async Task Listen(CancellationToken token) => await Task.Delay(Timeout.Infinite, token);
        [EntryPoint] public static long MaybeDie(long value) { if (value == 50) KillSelf(); return value; }
        [DllImport("libc")] private static extern int kill(int pid, int signal);
        [DllImport("libc")] private static extern int strlen(IntPtr text);
        """, "Deadly");

    [Theory]
    [InlineData("Exit", "[0]", CrashReason.ExitCalled, 0, null)]
    [InlineData("Exit", "[3]", CrashReason.ExitCalled, 3, null)]
    [InlineData("FailFast", "[]", CrashReason.Crashed, 134, "SIGABRT")]
    [InlineData("Overflow", "[0]", CrashReason.StackOverflow, 134, "SIGABRT")]
    [InlineData("KillSelf", "[]", CrashReason.KilledFromOutside, 137, "SIGKILL")]
    [InlineData("Segfault", "[]", CrashReason.Crashed, 139, "SIGSEGV")]
    [InlineData("UnhandledOnThread", "[]", CrashReason.Crashed, 134, "SIGABRT")]
    public async Task A_dead_worker_is_a_typed_error_and_the_next_call_is_served(string entryPoint, string arguments, CrashReason reason, int exitCode, string? signal)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Exit codes and signals are Linux's here.");
        await using var pool = await Pools.StartAsync(Deadly);
        var crash = await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync(entryPoint, CallArguments.FromJson(arguments)).Within($"{entryPoint} settles"));
        Assert.Equal((reason, exitCode, signal), (crash.Reason, crash.ExitCode, crash.Signal));
        Assert.Equal((entryPoint, "test-0", Execution.Started), (crash.EntryPoint, crash.WorkerName, crash.Execution));
        Assert.Equal(9, await pool.InvokeAsync<long>("Square", [3]).Within("the next call is served"));
        var last = Assert.IsType<WorkerCrashedException>(pool.LastWorkerError);
        Assert.Equal((reason, entryPoint), (last.Reason, last.EntryPoint));
        Assert.NotEqual(crash.ProcessId, await pool.InvokeAsync<int>("ProcessId"));
    }

    [Fact]
    public async Task The_error_shows_what_the_worker_said_last()
    {
        await using var pool = await Pools.StartAsync(Deadly);
        var crash = await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync("FailFast"));
        Assert.Contains("on purpose", crash.StandardErrorTail);
        Assert.Contains("on purpose", crash.Message);
    }

    [Fact]
    public async Task An_error_larger_than_a_message_may_be_is_cut()
    {
        await using var pool = await Pools.StartAsync(Deadly);
        var thrown = await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync("ThrowLarge").Within("the call settles"));
        Assert.InRange(thrown.Error.Message.Length, 1_000, 1_000_000);
        Assert.Equal(9, await pool.InvokeAsync<long>("Square", [3]));
    }

    [Fact]
    public async Task One_call_of_a_hundred_kills_its_worker_and_ninety_nine_succeed()
    {
        await using var pool = await Pools.StartAsync(Deadly, workers: 2);
        var outcomes = new List<CallOutcome<long>>();
        await foreach (var outcome in pool.MapAsync<long, long>("MaybeDie", Enumerable.Range(0, 100).Select(i => (long)i)))
        {
            outcomes.Add(outcome);
        }

        Assert.Equal(100, outcomes.Count);
        var failure = Assert.Single(outcomes, outcome => !outcome.Succeeded);
        Assert.Equal(50, failure.Index);
        Assert.IsType<WorkerCrashedException>(failure.Error);
    }

    [Fact]
    public async Task An_idle_worker_that_is_killed_is_replaced_without_a_call_failing()
    {
        var log = new RecordingLogger();
        await using var pool = await Pools.StartAsync(Deadly, log: log);
        var processId = await pool.InvokeAsync<int>("ProcessId");
        using var process = System.Diagnostics.Process.GetProcessById(processId);
        process.Kill();
        await log.WaitForAsync(line => line.Contains("died: KilledFromOutside"), "the idle worker's death is noticed");
        Assert.NotEqual(processId, await pool.InvokeAsync<int>("ProcessId").Within("the next call is served"));
    }

    [Fact]
    public async Task A_call_that_takes_too_long_times_out_and_its_worker_is_replaced()
    {
        var options = Pools.Options(Deadly);
        options.CallTimeout = TimeSpan.FromMilliseconds(200);
        options.CancelGrace = TimeSpan.FromMilliseconds(200);
        await using var pool = await SandboxPool.StartAsync(options);
        foreach (var entryPoint in new[] { "Spin", "Listen" })
        {
            var timeout = await Assert.ThrowsAsync<CallTimeoutException>(() => pool.InvokeAsync(entryPoint).Within("the call times out"));
            Assert.Equal((entryPoint, options.CallTimeout.Value), (timeout.EntryPoint, timeout.Timeout));
        }

        // Its worker has just been started: the first call there may take longer than that.
        Assert.Equal(9, await pool.InvokeAsync<long>("Square", [3], new CallOptions { Timeout = TimeSpan.FromMinutes(1) }).Within("the next call is served"));
    }

    [Fact]
    public async Task Cancelling_a_call_that_never_ends_costs_its_worker_only()
    {
        var log = new RecordingLogger();
        var options = Pools.Options(Deadly, log: log);
        options.CancelGrace = TimeSpan.FromMilliseconds(100);
        await using var pool = await SandboxPool.StartAsync(options);
        using var cancel = new CancellationTokenSource();
        var first = await pool.InvokeAsync<int>("ProcessId");
        var spinning = pool.InvokeAsync("Spin", [], cancel.Token);
        var next = pool.InvokeAsync<int>("ProcessId");
        await log.WaitForAsync(line => line.Contains("spinning", StringComparison.Ordinal), "the call has begun");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => spinning.Within("the cancelled call ends"));
        Assert.NotEqual(first, await next.Within("the next call is served"));
    }

    [Fact]
    public async Task A_drain_that_would_never_end_is_cut_short_by_a_stop_that_does_not_drain()
    {
        await using var pool = await Pools.StartAsync(Deadly);
        var spinning = pool.InvokeAsync("Spin");
        var draining = pool.StopAsync(drain: true);
        await pool.StopAsync(drain: false).Within("the impatient stop ends");
        await draining.Within("so does the drain");
        await Assert.ThrowsAsync<CallRejectedException>(() => spinning);
        Assert.Equal(PoolState.Stopped, pool.State);
    }

    [Fact]
    public async Task A_stop_with_a_deadline_cuts_a_drain_short_that_has_none()
    {
        await using var pool = await Pools.StartAsync(Deadly);
        var spinning = pool.InvokeAsync("Spin");
        var draining = pool.StopAsync();
        await pool.StopAsync(drain: true, deadline: TimeSpan.FromMilliseconds(50)).Within("the stop with a deadline ends");
        await draining.Within("so does the drain");
        await Assert.ThrowsAsync<CallRejectedException>(() => spinning);
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_a_call_that_never_ends()
    {
        var log = new RecordingLogger();
        await using var pool = await Pools.StartAsync(Deadly, workers: 2, log: log);
        var spinning = pool.InvokeAsync("Spin");
        var processId = await pool.InvokeAsync<int>("ProcessId");
        await log.WaitForAsync(line => line.Contains("spinning", StringComparison.Ordinal), "the call has begun");
        await pool.DisposeAsync().AsTask().Within("the pool stops");
        Assert.Equal(Execution.Started, (await Assert.ThrowsAsync<CallRejectedException>(() => spinning)).Execution);
        Assert.False(OperatingSystem.IsLinux() && Sandboxes.IsAlive(processId), $"Expected sandbox {processId} to be gone.");
    }
}
