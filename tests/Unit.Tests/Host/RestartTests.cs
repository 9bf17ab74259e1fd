using ProcessPool.Protocol;
using ProcessPool.Supervision;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>When dead workers are replaced, how fast, and when no more. No process, no real time.</summary>
public sealed class RestartTests
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<FakeWorker> _started = new();

    [Fact]
    public async Task The_first_replacement_comes_at_once_and_later_ones_after_doubling_waits_until_the_restarts_are_used_up()
    {
        var rig = await new PoolRig(Track).StartedAsync();
        await rig.Launcher.NextStartAsync();
        for (var restart = 1; restart <= 5; restart++)
        {
            Kill(restart);
            if (restart > 1)
            {
                var expected = 100 * Math.Pow(2, restart - 2);
                var wait = await rig.Time.PassNextAsync(IsBackoff).Within($"restart {restart} waits");
                Assert.InRange(wait.TotalMilliseconds, expected * 0.79, expected * 1.21);
            }

            Assert.Equal(restart + 1, await rig.Launcher.NextStartAsync().AsTask().Within($"restart {restart}"));
        }

        Kill(6);
        await rig.Log.WaitForAsync(line => line.Contains("is broken", StringComparison.Ordinal), "the pool is broken");
        Assert.Equal(PoolState.Broken, rig.Pool.State);
        var rejected = await Assert.ThrowsAsync<CallRejectedException>(() => rig.ServeAsync("a call of a broken pool fails at once"));
        Assert.Equal(RejectionReason.Broken, rejected.Reason);
        Assert.Contains("died while idle", rejected.Message);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_completed_call_clears_the_count()
    {
        var rig = await new PoolRig(Track).StartedAsync();
        await rig.Launcher.NextStartAsync();
        for (var restart = 1; restart <= 20; restart++)
        {
            await rig.ServeAsync("a call is served");
            Kill(restart);
            Assert.Equal(restart + 1, await rig.Launcher.NextStartAsync().AsTask().Within($"restart {restart} comes at once"));
        }

        await rig.StopAsync();
    }

    [Fact]
    public void Restarts_longer_ago_than_the_window_do_not_count()
    {
        var time = new WatchedTime();
        var budget = new RestartBudget(new RestartPolicy { MaxRestarts = 2 }, time);
        Assert.NotNull(budget.AfterDeath(clean: false));
        Assert.NotNull(budget.AfterDeath(clean: false));
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.NotNull(budget.AfterDeath(clean: false));
        Assert.NotNull(budget.AfterDeath(clean: false));
        Assert.Null(budget.AfterDeath(clean: false));
    }

    [Theory]
    [InlineData(RestartMode.Always, true, true)]
    [InlineData(RestartMode.Always, false, true)]
    [InlineData(RestartMode.OnCrash, true, false)]
    [InlineData(RestartMode.OnCrash, false, true)]
    [InlineData(RestartMode.Never, true, false)]
    [InlineData(RestartMode.Never, false, false)]
    public void The_mode_decides_who_is_replaced(RestartMode mode, bool clean, bool replaced) =>
        Assert.Equal(replaced, new RestartBudget(new RestartPolicy { Mode = mode }, TimeProvider.System).AfterDeath(clean) is not null);

    [Theory]
    [InlineData(1, 100)]
    [InlineData(2, 200)]
    [InlineData(7, 6_400)]
    [InlineData(8, 10_000)]
    [InlineData(1_000, 10_000)]
    public void Waits_double_up_to_ten_seconds(int n, int milliseconds) => Assert.Equal(milliseconds, RestartBudget.Delay(new RestartPolicy(), n).TotalMilliseconds);

    [Fact]
    public async Task Starts_that_fail_are_counted_apart_and_the_queued_calls_fail_with_the_cause()
    {
        var first = new FakeWorker("w");
        var rig = await new PoolRig(number => number == 1 ? first : null).StartedAsync();
        await rig.Launcher.NextStartAsync();
        first.Die(Some.Exit());
        Assert.Equal(2, await rig.Launcher.NextStartAsync().AsTask().Within("the first attempt comes at once"));
        var waiting = await rig.PutAsync();
        for (var attempt = 2; attempt <= RestartBudget.MaxStartFailures; attempt++)
        {
            await rig.Time.PassNextAsync(IsBackoff).Within($"attempt {attempt} waits");
            Assert.Equal(attempt + 1, await rig.Launcher.NextStartAsync().AsTask().Within($"attempt {attempt}"));
        }

        var rejected = await Assert.ThrowsAsync<CallRejectedException>(() => waiting.Settled.Within("the queued call fails"));
        Assert.Equal(RejectionReason.Broken, rejected.Reason);
        Assert.Contains("no 6", rejected.Message);
        await rig.StopAsync();
    }

    [Fact]
    public async Task One_exhausted_slot_leaves_the_others_or_breaks_the_pool_as_chosen()
    {
        foreach (var (action, state) in new[] { (ExhaustedAction.KeepRemaining, PoolState.Degraded), (ExhaustedAction.BreakPool, PoolState.Broken) })
        {
            _started.Clear();
            var rig = await new PoolRig(Track, options =>
            {
                options.Workers = 2;
                options.Restart = new RestartPolicy { MaxRestarts = 0, WhenExhausted = action };
            }).StartedAsync();
            Kill(1);
            await rig.Log.WaitForAsync(line => line.Contains("is given up", StringComparison.Ordinal), "the slot is given up");
            Assert.Equal(state, rig.Pool.State);
            if (state == PoolState.Degraded)
            {
                await rig.ServeAsync("the other slot serves");
            }

            await rig.StopAsync();
        }
    }

    [Fact]
    public async Task A_reset_mends_a_broken_pool()
    {
        var rig = await new PoolRig(Track, options => options.Restart = new RestartPolicy { MaxRestarts = 0 }).StartedAsync();
        for (var round = 1; round <= 3; round++)
        {
            Kill(round);
            await rig.Log.WaitForAsync(line => line.Contains("is broken", StringComparison.Ordinal), "the pool is broken");
            await Assert.ThrowsAsync<CallRejectedException>(() => rig.ServeAsync("a call fails at once"));
            rig.Log.Clear();
            rig.Pool.Reset();
            await rig.ServeAsync("the pool serves again");
            Assert.Equal(PoolState.Running, rig.Pool.State);
        }

        await rig.StopAsync();
        rig.Pool.Reset();
        Assert.Equal(PoolState.Stopped, rig.Pool.State);
    }

    [Fact]
    public async Task A_reset_brings_back_every_slot_of_a_pool_that_one_of_them_broke()
    {
        var serving = new CountdownEvent(3);
        var all = new TaskCompletionSource<CallReply>();
        var rig = await new PoolRig(
            number =>
            {
                var worker = Track(number);
                worker.OnInvoke = (_, _) =>
                {
                    if (serving.Signal())
                    {
                        all.SetResult(Some.Reply);
                    }

                    return all.Task;
                };
                return worker;
            },
            options =>
            {
                options.Workers = 3;
                options.Restart = new RestartPolicy { MaxRestarts = 0, WhenExhausted = ExhaustedAction.BreakPool };
            }).StartedAsync();
        Kill(2);
        await rig.Log.WaitForAsync(line => line.Contains("is broken", StringComparison.Ordinal), "the pool is broken");
        await Assert.ThrowsAsync<CallRejectedException>(() => rig.ServeAsync("a call fails at once"));
        rig.Pool.Reset();
        var calls = new[] { await rig.PutAsync(), await rig.PutAsync(), await rig.PutAsync() };
        await Task.WhenAll(calls.Select(call => call.Settled)).Within("three workers serve at the same time");
        await rig.StopAsync();
    }

    [Fact]
    public async Task The_pool_is_degraded_from_the_moment_a_worker_is_dead()
    {
        var rig = await new PoolRig(Track, options =>
        {
            options.Workers = 2;
            options.Restart = new RestartPolicy { Mode = RestartMode.Never };
        }).StartedAsync();
        await Until.HoldsAsync(() => rig.Pool.State == PoolState.Running, "both serve");
        Kill(2);
        Assert.Equal(PoolState.Degraded, rig.Pool.State);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_reset_ends_a_wait()
    {
        var rig = await new PoolRig(Track, options => options.Restart = new RestartPolicy { FirstDelay = TimeSpan.FromHours(1), MaxDelay = TimeSpan.FromHours(1) }).StartedAsync();
        await rig.Launcher.NextStartAsync();
        Kill(1);
        Assert.Equal(2, await rig.Launcher.NextStartAsync().AsTask().Within("the first replacement comes at once"));
        await rig.Log.WaitForAsync(line => line.Contains("is ready", StringComparison.Ordinal), "it is ready");
        await Until.HoldsAsync(() => _started.Count == 2 && rig.Pool.State == PoolState.Running, "the replacement serves");

        Kill(2);
        await Until.HoldsAsync(() => rig.Pool.View.CountWorkers().Restarting == 1, "the next replacement waits");

        rig.Pool.Reset();
        await rig.ServeAsync("the pool serves again, an hour earlier");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_drain_does_not_wait_for_a_replacement_that_has_nothing_to_do()
    {
        var rig = await new PoolRig(Track, options => options.Restart = new RestartPolicy { FirstDelay = TimeSpan.FromHours(1), MaxDelay = TimeSpan.FromHours(1) }).StartedAsync();
        await rig.Launcher.NextStartAsync();
        Kill(1);
        await rig.Launcher.NextStartAsync();
        await Until.HoldsAsync(() => _started.Count == 2 && rig.Pool.State == PoolState.Running, "the replacement serves");

        Kill(2);
        await rig.Pool.StopAsync(drain: true, null, CancellationToken.None).Within("the drain ends, an hour earlier");
    }

    [Fact]
    public async Task Workers_that_the_pool_killed_itself_are_not_counted()
    {
        var rig = await new PoolRig(
            number =>
            {
                var worker = new FakeWorker("w");
                worker.OnInvoke = (_, _) => number <= 20 ? new TaskCompletionSource<CallReply>().Task : Task.FromResult(Some.Reply);
                return worker;
            },
            options => options.CallTimeout = TimeSpan.FromSeconds(7)).StartedAsync();
        for (var i = 0; i < 20; i++)
        {
            var call = await rig.PutAsync();
            await rig.Time.PassNextAsync(due => due == TimeSpan.FromSeconds(7)).Within("the call is timed");
            await Assert.ThrowsAsync<CallTimeoutException>(() => call.Settled.Within("the call times out"));
        }

        await rig.ServeAsync("the next call is served");
        await rig.StopAsync();
    }

    [Fact]
    public async Task The_first_start_that_fails_fails_the_pool()
    {
        var rig = new PoolRig(_ => null);
        await Assert.ThrowsAsync<WorkerStartException>(() => rig.StartedAsync());
        Assert.Equal(PoolState.Stopped, rig.Pool.State);
    }

    [Fact]
    public async Task A_start_that_is_cancelled_before_it_began_ends()
    {
        var rig = new PoolRig();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rig.Pool.StartAsync(new CancellationToken(canceled: true)).Within("the start ends"));
        Assert.Equal(PoolState.Stopped, rig.Pool.State);
    }

    [Fact]
    public async Task Draining_a_pool_with_a_slot_that_is_given_up_ends()
    {
        var rig = await new PoolRig(Track, options =>
        {
            options.Workers = 2;
            options.Restart = new RestartPolicy { Mode = RestartMode.Never };
        }).StartedAsync();
        Kill(1);
        await rig.Log.WaitForAsync(line => line.Contains("is given up", StringComparison.Ordinal), "the slot is given up");
        await rig.Pool.StopAsync(drain: true, null, CancellationToken.None).Within("the drain ends");
    }

    private static bool IsBackoff(TimeSpan due) => due >= TimeSpan.FromMilliseconds(79) && due != TimeSpan.FromSeconds(1);

    private FakeWorker Track(int number)
    {
        var worker = PoolRig.Answering();
        _started.Enqueue(worker);
        return worker;
    }

    private void Kill(int number) => _started.ElementAt(number - 1).Die(Some.Exit());
}
