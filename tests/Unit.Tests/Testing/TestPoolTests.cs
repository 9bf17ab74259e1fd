using Microsoft.Extensions.Time.Testing;
using ProcessPool.Testing;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Testing;

/// <summary>What a user's unit tests can do with a pool that has no processes.</summary>
public sealed class TestPoolTests
{
    /// <summary>A contract of the user's.</summary>
    public interface IRenderer
    {
        Task<string> RenderAsync(string text, CancellationToken cancellationToken);

        IAsyncEnumerable<int> Pages(int count);
    }

    [Fact]
    public async Task Delegates_and_contracts_are_called_as_a_plugin_is()
    {
        await using var pool = await new TestPool()
            .Add("Square", (long value) => value * value)
            .Add("Later", async (string text, CancellationToken cancellationToken) => { await Task.Yield(); return text.Length; })
            .Add("Throw", (Func<int>)(() => throw new InvalidOperationException("no")))
            .Add<IRenderer>(new Renderer())
            .StartAsync();
        Assert.Equal(49, await pool.InvokeAsync<long>("Square", [7]).Within("the call ends"));
        Assert.Equal(3, await pool.InvokeAsync<int>("Later", ["abc"]).Within("the call ends"));
        var thrown = await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync<int>("Throw").Within("the call ends"));
        Assert.Equal("System.InvalidOperationException", thrown.Error.Type);
        await Assert.ThrowsAsync<CallArgumentException>(() => pool.InvokeAsync<long>("Square", ["seven"]).Within("the call ends"));
        await Assert.ThrowsAsync<CallArgumentException>(() => pool.InvokeAsync<long>("Cube", [7]).Within("the call ends"));

        var renderer = pool.GetProxy<IRenderer>();
        Assert.Equal("<b>x</b>", await renderer.RenderAsync("x", CancellationToken.None).Within("the call ends"));
        var pages = new List<int>();
        await foreach (var page in renderer.Pages(300))
        {
            pages.Add(page);
        }

        Assert.Equal(Enumerable.Range(0, 300), pages);
        var outcomes = new List<long>();
        await foreach (var outcome in pool.MapAsync<int, long>("Square", Enumerable.Range(0, 500)))
        {
            outcomes.Add(outcome.Value);
        }

        Assert.Equal(Enumerable.Range(0, 500).Select(value => (long)value * value), outcomes);
    }

    [Fact]
    public async Task What_a_sandbox_would_refuse_or_retry_is_refused_or_retried_here()
    {
        await using var pool = await new TestPool().Add("Large", (int size) => new string('x', size)).Add<IRenderer>(new Renderer()).Crash("IRenderer.RenderAsync", call: 1)
            .StartAsync(options => (options.MaxMessageBytes, options.Retries) = (2 * 1024 * 1024, 1));
        Assert.Equal(10, (await pool.InvokeAsync<string>("Large", [10]).Within("the call ends")).Length);
        var refused = await Assert.ThrowsAsync<CallArgumentException>(() => pool.InvokeAsync<string>("Large", [3_000_000]).Within("the call ends"));
        Assert.Contains("its result cannot be sent: The result is 3000002 bytes", refused.Message);

        // Marked on the class, not in the contract.
        Assert.Equal("<b>x</b>", await pool.GetProxy<IRenderer>().RenderAsync("x", CancellationToken.None).Within("the call is made again"));
        Assert.Contains("which only a sandbox has", Assert.Throws<ArgumentException>(() => new TestPool().Add("Context", (IPluginContext context) => context.PoolName)).Message);
    }

    [Fact]
    public async Task The_items_of_a_map_wait_for_room_in_a_pool_that_rejects()
    {
        var script = new TestPool().Add("Square", (long value) => value * value).Crash("Square", call: 50).Crash("Square", call: 100);
        await using var pool = await script.StartAsync(options => (options.Workers, options.QueueCapacity, options.WhenFull) = (2, 1, WhenFull.Reject));
        var outcomes = await pool.MapAsync<int, long>("Square", Enumerable.Range(0, 300)).ToListAsync().AsTask().Within("the map ends");
        Assert.Equal(300, outcomes.Count);
        Assert.All(outcomes.Where(outcome => outcome.Error is not null), outcome => Assert.IsType<WorkerCrashedException>(outcome.Error));
    }

    [Fact]
    public void A_fault_of_what_is_not_there_is_refused()
    {
        var script = new TestPool().Add("Square", (long value) => value * value).Crash("Sqare");
        Assert.Contains("'Sqare', which is no entry point of it. There are: Square.", Assert.Throws<ArgumentException>(() => script.Create()).Message);
        var made = new TestPool().Add("Square", (long value) => value * value);
        _ = made.Create();
        Assert.Contains("a pool was made of it already", Assert.Throws<ArgumentException>(() => made.Hang("Sqare")).Message);
    }

    [Fact]
    public async Task A_scripted_crash_fails_that_call_and_the_next_one_has_a_new_worker()
    {
        var ran = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var pool = await new TestPool().Add("Measure", (string path) => { ran.Enqueue(path); return path.Length; })
            .Crash("Measure", call: 2, CrashReason.StackOverflow, standardError: "Stack overflow.").StartAsync();
        Assert.Equal(1, await pool.InvokeAsync<int>("Measure", ["a"]).Within("the call ends"));
        var crash = await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync<int>("Measure", ["b"]).Within("the call ends"));
        Assert.Equal((CrashReason.StackOverflow, 134, "SIGABRT", "Stack overflow."), (crash.Reason, crash.ExitCode, crash.Signal, crash.StandardErrorTail));
        Assert.Equal(3, await pool.InvokeAsync<int>("Measure", ["ccc"]).Within("the call ends"));
        Assert.IsType<WorkerCrashedException>(pool.LastWorkerError);
        Assert.Equal(["a", "ccc"], ran);
    }

    [Fact]
    public async Task What_is_idempotent_is_made_again_after_a_scripted_crash()
    {
        await using var pool = await new TestPool().Add("Twice", [Idempotent] () => 7).Crash("Twice", call: 1).StartAsync(options => options.Retries = 1);
        Assert.Equal(7, await pool.InvokeAsync<int>("Twice").Within("the call ends"));
    }

    [Fact]
    public async Task A_call_that_hangs_times_out_when_the_test_says_so()
    {
        var time = new FakeTimeProvider();
        await using var pool = await new TestPool().Add("Convert", () => 1).Hang("Convert", call: 1).StartAsync(options => (options.TimeProvider, options.CallTimeout) = (time, TimeSpan.FromMinutes(1)));
        var call = pool.InvokeAsync<int>("Convert");
        await Until.HoldsAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(1));
                return call.IsCompleted;
            },
            "the call times out");
        Assert.Equal(TimeoutPhase.Execute, (await Assert.ThrowsAsync<CallTimeoutException>(() => call)).Phase);
        Assert.Equal(1, await pool.InvokeAsync<int>("Convert").Within("the call ends"));
    }

    [Fact]
    public async Task A_start_that_fails_fails_the_pool_and_later_ones_break_it()
    {
        var failed = await Assert.ThrowsAsync<WorkerStartException>(() => new TestPool().Add("x", () => 1).FailStart(1, "no memory").StartAsync().Within("the start fails"));
        Assert.Contains("no memory", failed.Message, StringComparison.Ordinal);

        var script = new TestPool().Add("x", () => 1).Crash("x");
        await using var pool = await script.StartAsync(options => options.Restart = new RestartPolicy { Mode = RestartMode.Never });
        await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync<int>("x").Within("the call ends"));
        await Until.HoldsAsync(() => pool.State == PoolState.Broken, "the pool is broken");
        Assert.Equal(RejectionReason.Broken, (await Assert.ThrowsAsync<CallRejectedException>(() => pool.InvokeAsync<int>("x").Within("the call ends"))).Reason);
    }

    [Fact]
    public void Every_error_of_a_pool_can_be_made()
    {
        Assert.All(Enum.GetValues<CrashReason>(), reason => Assert.Equal(reason, TestErrors.Crash(reason, "Render").Reason));
        Assert.All(Enum.GetValues<RejectionReason>(), reason => Assert.Equal(reason, TestErrors.Rejected(reason).Reason));
        Assert.All(Enum.GetValues<TimeoutPhase>(), phase => Assert.Equal(phase, TestErrors.Timeout(TimeSpan.FromSeconds(1), phase).Phase));
        Assert.Equal("System.FormatException", TestErrors.Plugin(new FormatException("x")).Error.Type);
        Assert.Equal("Render", TestErrors.Crash(entryPoint: "Render").EntryPoint);
        Assert.Throws<ArgumentOutOfRangeException>(() => new TestPool().Crash("x", call: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TestPool().FailStart(0));
        Assert.Throws<ArgumentException>(() => new TestPool().Add("x", () => 1).Add("x", () => 2));
    }

    private sealed class Renderer : IRenderer
    {
        [Idempotent]
        public Task<string> RenderAsync(string text, CancellationToken cancellationToken) => Task.FromResult($"<b>{text}</b>");

        public async IAsyncEnumerable<int> Pages(int count)
        {
            for (var i = 0; i < count; i++)
            {
                await Task.Yield();
                yield return i;
            }
        }
    }
}
