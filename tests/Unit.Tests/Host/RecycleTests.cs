using ProcessPool.Protocol;
using ProcessPool.Supervision;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>When healthy workers are replaced, and by whom. No process, no real time.</summary>
public sealed class RecycleTests
{
    private readonly List<FakeWorker> _started = [];

    [Fact]
    public async Task After_so_many_calls_a_fresh_worker_takes_over_and_no_call_is_lost()
    {
        var rig = await new PoolRig(Track, options => options.Recycle = new RecyclePolicy { AfterCalls = 10, Jitter = 0 }).StartedAsync();
        for (var call = 0; call < 100; call++)
        {
            await rig.ServeAsync("a call is served");
        }

        // In this order: a slot that waits for calls has noticed that its worker is due, and a replacement that was found is in the book.
        await Until.HoldsAsync(
            () => rig.Pool.Queue.HasIdleTaker && !rig.Pool.IsRecycling && rig.Pool.View.Workers.Count == 1, "the last replacement serves, and those that have ended are in no book any more");
        await rig.StopAsync();
        Assert.Matches("^recycled=[0-9]+ shutdown=1$", rig.Pool.View.Counts.Exits.ToString());
        Assert.InRange(_started.Count, 5, 11);
        Assert.All(_started, worker => Assert.True(worker.Stopped && !worker.Killed, "Expected every worker to be stopped gently."));
    }

    [Fact]
    public async Task The_old_worker_serves_until_the_fresh_one_is_ready()
    {
        var ready = new TaskCompletionSource<IWorker>();
        var old = PoolRig.Answering();
        var launcher = new FakeLauncher(number => number == 1 ? Task.FromResult<IWorker>(old) : ready.Task);
        var pool = new Supervisor("p", Some.Settings(options => options.Recycle = new RecyclePolicy { AfterCalls = 1 }), launcher);
        await pool.StartAsync(CancellationToken.None);
        for (var i = 0; i < 5; i++)
        {
            var call = Some.Call();
            await pool.Queue.PutAsync(call);
            await call.Settled.Within("the old worker serves");
        }

        var fresh = PoolRig.Answering();
        ready.SetResult(fresh);
        await old.Exited.Within("the old worker leaves");
        Assert.True(old.Stopped && !old.Killed);
        await pool.StopAsync(drain: false, null, CancellationToken.None);
        Assert.True(fresh.Stopped);
        Assert.Equal("recycled=1 shutdown=1", pool.View.Counts.Exits.ToString());
    }

    [Fact]
    public async Task A_worker_that_is_due_and_ends_before_a_fresh_one_takes_over_was_not_recycled()
    {
        var launcher = new FakeLauncher(number => number == 1 ? Task.FromResult<IWorker>(PoolRig.Answering()) : new TaskCompletionSource<IWorker>().Task);
        var pool = new Supervisor("p", Some.Settings(options => options.Recycle = new RecyclePolicy { AfterCalls = 1 }), launcher);
        await pool.StartAsync(CancellationToken.None);
        var call = Some.Call();
        await pool.Queue.PutAsync(call);
        await call.Settled.Within("the call is served");
        Assert.Equal(1, await launcher.NextStartAsync());
        Assert.Equal(2, await launcher.NextStartAsync().AsTask().Within("a fresh one is being started"));
        await pool.StopAsync(drain: false, null, CancellationToken.None).Within("the pool stops");
        Assert.Equal("shutdown=1", pool.View.Counts.Exits.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_long_life_or_a_long_idle_time_ends(bool life)
    {
        var rig = await new PoolRig(Track, options => options.Recycle = life
            ? new RecyclePolicy { AfterLifetime = TimeSpan.FromMinutes(10), Jitter = 0 }
            : new RecyclePolicy { AfterIdle = TimeSpan.FromMinutes(10), Jitter = 0 }).StartedAsync();
        await rig.ServeAsync("a call is served");
        await rig.Time.PassNextAsync(due => due == TimeSpan.FromMinutes(10)).Within("the end is timed");
        await _started[0].Exited.Within("the old worker leaves");
        await rig.ServeAsync("the fresh worker serves");
        await rig.StopAsync();
    }

    [Fact]
    public void A_worker_that_never_served_is_not_idle()
    {
        var time = new WatchedTime();
        var rules = new RecycleRules(new RecyclePolicy { AfterIdle = TimeSpan.FromMinutes(1) }, time, time.GetTimestamp());
        time.Advance(TimeSpan.FromHours(1));
        Assert.Null(rules.Due());
        Assert.Null(rules.NextLook());
    }

    [Fact]
    public void What_cannot_be_done_is_not_looked_at_again_before_its_time()
    {
        var time = new WatchedTime();
        var rules = new RecycleRules(new RecyclePolicy { AfterLifetime = TimeSpan.FromMinutes(1), Jitter = 0 }, time, time.GetTimestamp());
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(RecycleReason.Lifetime, rules.Due());
        rules.Postpone(TimeSpan.FromSeconds(10));
        Assert.Null(rules.Due());
        Assert.Equal(TimeSpan.FromSeconds(10), rules.NextLook());
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(RecycleReason.Lifetime, rules.Due());
    }

    [Theory]
    [InlineData(1_000, false)]
    [InlineData(1_001, true)]
    public void The_soft_limit_is_the_most_that_is_allowed(long memory, bool due)
    {
        var rules = new RecycleRules(new RecyclePolicy { AboveMemory = 1_000 }, TimeProvider.System, 0);
        rules.CallEnded(outOfMemory: false, () => memory);
        Assert.Equal(due ? RecycleReason.Memory : null, rules.Due());
    }

    [Fact]
    public async Task A_worker_that_dies_while_another_one_is_recycled_is_replaced()
    {
        var workers = new List<FakeWorker>();
        var never = new TaskCompletionSource<IWorker>();
        var launcher = new FakeLauncher(number =>
        {
            if (number == 3)
            {
                return never.Task;
            }

            workers.Add(PoolRig.Answering());
            return Task.FromResult<IWorker>(workers[^1]);
        });
        var log = new RecordingLogger();
        var pool = new Supervisor("p", Some.Settings(options =>
        {
            options.Workers = 2;
            options.Logger = log;
            options.Recycle = new RecyclePolicy { AfterCalls = 1 };
        }), launcher);
        await pool.StartAsync(CancellationToken.None);
        while (log.Entries.Count(entry => entry.Text.Contains("is recycled", StringComparison.Ordinal)) < 2)
        {
            var call = Some.Call();
            await pool.Queue.PutAsync(call);
            await call.Settled.Within("a call is served");
        }

        // One of them has the turn, whose start never ends; the other waits for it. Both die.
        workers.ToList().ForEach(worker => worker.Die(Some.Exit()));
        var next = Some.Call();
        await pool.Queue.PutAsync(next);
        await next.Settled.Within("a replacement serves");
        await pool.StopAsync(drain: false, null, CancellationToken.None).Within("the pool stops");
    }

    [Fact]
    public async Task Memory_above_the_soft_limit_is_looked_at_after_a_call()
    {
        var rig = await new PoolRig(Track, options => options.Recycle = new RecyclePolicy { AboveMemory = 1_000 }).StartedAsync();
        _started[0].Memory = 1_001;
        await rig.ServeAsync("a call is served");
        await _started[0].Exited.Within("the large worker leaves");
        await rig.StopAsync();
    }

    [Fact]
    public async Task Memory_above_the_hard_limit_kills_during_the_call()
    {
        var begun = new TaskCompletionSource();
        var worker = new FakeWorker("w")
        {
            OnInvoke = (_, _) =>
            {
                begun.SetResult();
                return new TaskCompletionSource<CallReply>().Task;
            },
        };
        var rig = await new PoolRig(number => number == 1 ? Track(number, worker) : Track(number), options => options.MemoryLimit = 100_000_000).StartedAsync();
        var call = await rig.PutAsync();
        await begun.Task.Within("the call begins");
        _started[0].Memory = 100_000_001;
        rig.Time.Advance(TimeSpan.FromMilliseconds(250));
        var killed = await Assert.ThrowsAsync<WorkerCrashedException>(() => call.Settled.Within("the call fails"));
        Assert.Equal(CrashReason.MemoryLimit, killed.Reason);
        await rig.StopAsync();
    }

    [Theory]
    [InlineData(CrashReason.ThreadLimit)]
    [InlineData(CrashReason.ScratchLimit)]
    public async Task A_worker_beyond_what_the_pool_watches_is_killed_and_its_call_says_why(CrashReason reason)
    {
        var begun = new TaskCompletionSource();
        var worker = new FakeWorker("w")
        {
            OnInvoke = (_, _) =>
            {
                begun.SetResult();
                return new TaskCompletionSource<CallReply>().Task;
            },
        };
        var rig = await new PoolRig(
            number => number == 1 ? Track(number, worker) : Track(number),
            options => options.Confinement = ConfinementPolicy.Limits with { MaxThreads = 100, MaxScratchBytes = 1_000 }).StartedAsync();
        var call = await rig.PutAsync();
        await begun.Task.Within("the call begins");
        (worker.Threads, worker.Scratch) = (100, 1_000);
        rig.Time.Advance(TimeSpan.FromMilliseconds(250));
        Assert.False(worker.Killed, "It has no more than it may have.");
        (worker.Threads, worker.Scratch) = reason == CrashReason.ThreadLimit ? (101, 0) : (0, 1_001);
        rig.Time.Advance(TimeSpan.FromMilliseconds(250));
        Assert.Equal(reason, (await Assert.ThrowsAsync<WorkerCrashedException>(() => call.Settled.Within("the call fails"))).Reason);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_worker_that_ran_out_of_memory_is_replaced()
    {
        var first = new FakeWorker("w") { OnInvoke = (_, _) => Task.FromResult(Some.Error("System.OutOfMemoryException")) };
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering()).StartedAsync();
        await rig.ServeAsync("the call fails by itself");
        await first.Exited.Within("its worker leaves");
        Assert.True(first.Stopped && !first.Killed);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_fresh_worker_that_cannot_be_started_leaves_the_old_one()
    {
        var rig = await new PoolRig(
            number => number == 1 ? Track(1) : null,
            options => options.Recycle = new RecyclePolicy { AfterCalls = 1 }).StartedAsync();
        await rig.ServeAsync("a call is served");
        await rig.Log.WaitForAsync(line => line.Contains("the old one goes on", StringComparison.Ordinal), "the recycling fails");
        for (var i = 0; i < 5; i++)
        {
            await rig.ServeAsync("the old worker serves");
        }

        Assert.Equal(PoolState.Running, rig.Pool.State);
        await rig.StopAsync();
    }

    [Fact]
    public async Task One_worker_is_recycled_at_a_time()
    {
        var go = new TaskCompletionSource();
        var pending = new System.Collections.Concurrent.ConcurrentQueue<TaskCompletionSource<IWorker>>();
        var launcher = new FakeLauncher(number =>
        {
            if (number <= 4)
            {
                return Task.FromResult<IWorker>(new FakeWorker("w")
                {
                    OnInvoke = async (_, _) =>
                    {
                        await go.Task;
                        return Some.Reply;
                    },
                });
            }

            var start = new TaskCompletionSource<IWorker>();
            pending.Enqueue(start);
            return start.Task;
        });
        var pool = new Supervisor("p", Some.Settings(options =>
        {
            options.Workers = 4;
            options.Recycle = new RecyclePolicy { AfterCalls = 1 };
        }), launcher);
        await pool.StartAsync(CancellationToken.None);
        for (var number = 1; number <= 4; number++)
        {
            await launcher.NextStartAsync();
        }

        // One for each of them, at once.
        var calls = Enumerable.Range(0, 4).Select(_ => Some.Call()).ToList();
        foreach (var call in calls)
        {
            await pool.Queue.PutAsync(call);
        }

        go.SetResult();
        await Task.WhenAll(calls.Select(call => call.Settled)).Within("the calls are served");

        Assert.Equal(5, await launcher.NextStartAsync().AsTask().Within("the first is recycled"));
        Assert.Single(pending);
        Assert.True(pending.TryDequeue(out var first));
        first.SetResult(PoolRig.Answering());
        Assert.Equal(6, await launcher.NextStartAsync().AsTask().Within("then the second"));
        Assert.Single(pending);
        var stop = pool.StopAsync(drain: false, null, CancellationToken.None);
        foreach (var start in pending)
        {
            start.SetResult(PoolRig.Answering());
        }

        await stop.Within("the pool stops");
    }

    [Fact]
    public async Task A_standby_takes_the_place_of_a_dead_worker_at_once_and_is_replaced()
    {
        var rig = await new PoolRig(Track, options => options.Standby = 1).StartedAsync();
        Assert.Equal(1, await rig.Launcher.NextStartAsync());
        Assert.Equal(2, await rig.Launcher.NextStartAsync().AsTask().Within("a standby is started"));
        _started[0].Die(Some.Exit());
        Assert.Equal(3, await rig.Launcher.NextStartAsync().AsTask().Within("the standby has moved up, the next one is started"));
        await rig.ServeAsync("the standby serves");
        _started[2].Die(Some.Exit());
        Assert.Equal(4, await rig.Launcher.NextStartAsync().AsTask().Within("a standby that dies is replaced"));
        Assert.False(_started[1].Exited.IsCompleted, "Expected the second worker to have the slot.");
        await rig.StopAsync();
        Assert.All(_started, worker => Assert.True(worker.Exited.IsCompleted));
    }

    private FakeWorker Track(int number) => Track(number, PoolRig.Answering());

    private FakeWorker Track(int number, FakeWorker worker)
    {
        lock (_started)
        {
            _started.Add(worker);
            return worker;
        }
    }
}
