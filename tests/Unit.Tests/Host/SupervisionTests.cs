using Microsoft.Extensions.Time.Testing;
using ProcessPool.Protocol;
using ProcessPool.Supervision;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>What a pool does about workers that die, hang or cannot start. No process, no real time.</summary>
public sealed class SupervisionTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_dead_worker_fails_its_call_and_the_next_call_runs_on_a_new_one()
    {
        var first = new FakeWorker("w");
        var second = new FakeWorker("w") { OnInvoke = (_, _) => Task.FromResult(Some.Reply) };
        var pool = await StartAsync(number => number == 1 ? first : second);
        var (lost, served) = (Some.Call(), Some.Call());
        first.OnInvoke = (_, _) =>
        {
            first.Die(Some.Exit());
            return new TaskCompletionSource<CallReply>().Task;
        };
        await pool.Queue.PutAsync(lost);
        await pool.Queue.PutAsync(served);

        var crash = await Assert.ThrowsAsync<WorkerCrashedException>(() => lost.Settled.Within("the lost call settles"));
        Assert.Equal((CrashReason.Crashed, lost.Request.Id), (crash.Reason, crash.CallId));
        await served.Settled.Within("the other call settles");
        Assert.NotSame(crash, pool.LastError);
    }

    [Fact]
    public async Task A_call_taken_for_a_worker_that_is_gone_runs_on_the_next_one()
    {
        var first = new FakeWorker("w") { OnInvoke = (_, _) => Task.FromResult(Some.Reply) };
        var second = new FakeWorker("w") { OnInvoke = (_, _) => Task.FromResult(Some.Reply) };
        var pool = await StartAsync(number => number == 1 ? first : second);
        var call = Some.Call();
        first.Die(Some.Exit());
        await pool.Queue.PutAsync(call);
        await call.Settled.Within("the call settles on the second worker");
    }

    [Fact]
    public async Task A_worker_that_dies_idle_is_replaced_and_remembered()
    {
        var first = new FakeWorker("w");
        var launcher = new FakeLauncher(number => Task.FromResult<IWorker>(number == 1 ? first : new FakeWorker("w")));
        var pool = new Supervisor("p", Some.Settings(), launcher);
        await pool.StartAsync(CancellationToken.None);
        await launcher.NextStartAsync();
        first.Die(Some.Exit(CrashReason.StackOverflow));
        Assert.Equal(2, await launcher.NextStartAsync().AsTask().Within("a replacement is started"));
        Assert.Equal(CrashReason.StackOverflow, Assert.IsType<WorkerCrashedException>(pool.LastError).Reason);
        await pool.StopAsync(drain: false, CancellationToken.None);
    }

    [Fact]
    public async Task Replacements_that_cannot_start_are_tried_five_times_with_doubling_waits_and_then_the_pool_is_broken()
    {
        var first = new FakeWorker("w");
        var launcher = new FakeLauncher(number => number == 1
            ? Task.FromResult<IWorker>(first)
            : Task.FromException<IWorker>(new WorkerStartException("no", new FaultSite("p"))));
        var pool = new Supervisor("p", Settings(), launcher);
        await pool.StartAsync(CancellationToken.None);
        await launcher.NextStartAsync();
        var waiting = Some.Call();
        first.Die(Some.Exit());
        for (var failure = 1; failure <= Backoff.MaxFailures; failure++)
        {
            Assert.Equal(failure + 1, await AdvanceUntilAsync(launcher.NextStartAsync().AsTask()));
            if (failure == 1)
            {
                await pool.Queue.PutAsync(waiting);
            }
        }

        var rejected = await Assert.ThrowsAsync<CallRejectedException>(() => waiting.Settled.Within("the queued call fails"));
        Assert.Equal(RejectionReason.Broken, rejected.Reason);
        Assert.Contains("Last cause: no", rejected.Message);
        Assert.Equal(PoolState.Broken, pool.State);
        var later = Some.Call();
        await pool.Queue.PutAsync(later);
        await Assert.ThrowsAsync<CallRejectedException>(() => later.Settled.Within("a later call fails at once"));
        await pool.StopAsync(drain: false, CancellationToken.None);
    }

    [Theory]
    [InlineData(1, 100)]
    [InlineData(2, 200)]
    [InlineData(7, 6_400)]
    [InlineData(8, 10_000)]
    [InlineData(1_000, 10_000)]
    public void Waits_double_up_to_ten_seconds(int failures, int milliseconds) => Assert.Equal(milliseconds, Backoff.After(failures).TotalMilliseconds);

    [Fact]
    public async Task The_first_start_that_fails_fails_the_pool()
    {
        var pool = new Supervisor("p", Some.Settings(), new FakeLauncher(_ => Task.FromException<IWorker>(new WorkerStartException("no", new FaultSite("p")))));
        await Assert.ThrowsAsync<WorkerStartException>(() => pool.StartAsync(CancellationToken.None).Within("the start fails"));
        Assert.Equal(PoolState.Stopped, pool.State);
    }

    [Fact]
    public async Task A_start_that_is_cancelled_before_it_began_ends()
    {
        var pool = new Supervisor("p", Some.Settings(), new FakeLauncher(_ => Task.FromResult<IWorker>(new FakeWorker("w"))));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pool.StartAsync(new CancellationToken(canceled: true)).Within("the start ends"));
        Assert.Equal(PoolState.Stopped, pool.State);
    }

    [Fact]
    public async Task A_call_that_listens_gets_its_grace_when_it_times_out_and_its_worker_is_not_used_again()
    {
        var (started, asked) = (new TaskCompletionSource(), new TaskCompletionSource());
        var first = new FakeWorker("w")
        {
            OnInvoke = async (_, token) =>
            {
                started.SetResult();
                await Task.Delay(Timeout.Infinite, token).ContinueWith(_ => asked.SetResult(), TaskScheduler.Default);
                return Some.Reply;
            },
        };
        var second = new FakeWorker("w") { OnInvoke = (_, _) => Task.FromResult(Some.Reply) };
        var pool = await StartAsync(number => number == 1 ? first : second, Settings(options => options.CallTimeout = TimeSpan.FromSeconds(3)));
        var call = Some.Call(acceptsCancellation: true);
        await pool.Queue.PutAsync(call);
        await started.Task.Within("the call begins");
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(TimeSpan.FromSeconds(3), (await Assert.ThrowsAsync<CallTimeoutException>(() => call.Settled.Within("the call times out"))).Timeout);
        Assert.True(asked.Task.IsCompleted && !first.Killed, "Expected the call to be asked to end, and its worker to be stopped gently.");
        var next = Some.Call();
        await pool.Queue.PutAsync(next);
        await next.Settled.Within("the next call runs on a new worker");
    }

    [Fact]
    public async Task A_call_that_cannot_listen_costs_its_worker_at_once_when_it_times_out()
    {
        var started = new TaskCompletionSource();
        var first = new FakeWorker("w");
        first.OnInvoke = (_, _) =>
        {
            started.SetResult();
            return new TaskCompletionSource<CallReply>().Task;
        };
        var pool = await StartAsync(number => number == 1 ? first : new FakeWorker("w"), Settings(options => options.CallTimeout = TimeSpan.FromSeconds(3)));
        var call = Some.Call();
        await pool.Queue.PutAsync(call);
        await started.Task.Within("the call begins");
        _time.Advance(TimeSpan.FromSeconds(3));
        await Assert.ThrowsAsync<CallTimeoutException>(() => call.Settled.Within("the call times out"));
        Assert.True(first.Killed);
    }

    [Fact]
    public async Task A_cancelled_call_that_cannot_listen_is_given_up_at_once_and_its_worker_kept_if_it_ends_in_time()
    {
        var started = new TaskCompletionSource();
        var end = new TaskCompletionSource<CallReply>();
        var worker = new FakeWorker("w");
        worker.OnInvoke = (_, _) =>
        {
            started.TrySetResult();
            return end.Task;
        };
        var pool = await StartAsync(_ => worker);
        using var cancel = new CancellationTokenSource();
        var (cancelled, next) = (Some.Call(token: cancel.Token), Some.Call());
        await pool.Queue.PutAsync(cancelled);
        await started.Task.Within("the call begins");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Settled.Within("the caller is released"));
        end.SetResult(Some.Reply);
        await pool.Queue.PutAsync(next);
        await next.Settled.Within("the same worker serves the next call");
        Assert.False(worker.Killed);
    }

    private PoolSettings Settings(Action<SandboxPoolOptions>? change = null) => Some.Settings(options =>
    {
        options.TimeProvider = _time;
        change?.Invoke(options);
    });

    private static async Task<Supervisor> StartAsync(Func<int, FakeWorker> workers, PoolSettings? settings = null)
    {
        var pool = new Supervisor("p", settings ?? Some.Settings(), new FakeLauncher(number => Task.FromResult<IWorker>(workers(number))));
        await pool.StartAsync(CancellationToken.None).Within("the pool starts");
        return pool;
    }

    /// <summary>Lets fake time pass until something has happened: timers are armed on other threads, so one step may come too early.</summary>
    private async Task<T> AdvanceUntilAsync<T>(Task<T> task)
    {
        await Task.Run(async () =>
        {
            while (!task.IsCompleted)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }
        }).Within("it happens as fake time passes");
        await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompletedSuccessfully ? task.Result : default!;
    }
}
