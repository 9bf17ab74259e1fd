using ProcessPool.Supervision;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>A pool that need not wait for all of its workers.</summary>
public sealed class MinWorkersTests
{
    [Fact]
    public async Task The_pool_serves_as_soon_as_there_are_enough_workers_and_only_then_the_others_are_started()
    {
        var first = new TaskCompletionSource<IWorker>();
        var early = 0;
        var launcher = new FakeLauncher(number =>
        {
            early += number > 1 && !first.Task.IsCompleted ? 1 : 0;
            return number == 1 ? first.Task : Task.FromResult<IWorker>(PoolRig.Answering());
        });
        var pool = Pool(launcher);
        var starting = pool.StartAsync(CancellationToken.None);
        Assert.Equal(1, await launcher.NextStartAsync());
        first.SetResult(PoolRig.Answering());
        await starting.Within("the pool starts with one worker");
        await launcher.NextStartAsync().AsTask().Within("the second worker is started");
        await launcher.NextStartAsync().AsTask().Within("the third worker is started");
        await Until.HoldsAsync(() => pool.State == PoolState.Running, "all of them are there");
        Assert.Equal(0, early);
        await pool.StopAsync(drain: false, null, CancellationToken.None).Within("the pool stops");
    }

    [Fact]
    public async Task A_later_worker_that_cannot_be_started_is_tried_again_and_does_not_fail_the_pool()
    {
        var launcher = new FakeLauncher(number => number == 2 ? Task.FromException<IWorker>(new WorkerStartException("no", new FaultSite("p"))) : Task.FromResult<IWorker>(PoolRig.Answering()));
        var pool = Pool(launcher);
        await pool.StartAsync(CancellationToken.None).Within("the pool starts");
        await Until.HoldsAsync(() => pool.State == PoolState.Running, "the one that failed was started again");
        Assert.IsType<WorkerStartException>(pool.LastError);
        await pool.StopAsync(drain: false, null, CancellationToken.None).Within("the pool stops");
    }

    [Fact]
    public async Task Calls_with_an_affinity_key_do_not_wait_for_a_worker_that_is_still_starting()
    {
        var never = new TaskCompletionSource<IWorker>();
        var pool = Pool(new FakeLauncher(number => number == 1 ? Task.FromResult<IWorker>(PoolRig.Answering()) : never.Task));
        await pool.StartAsync(CancellationToken.None).Within("the pool starts");
        foreach (var key in "abcdefgh")
        {
            var call = Some.Call(affinityKey: $"{key}");
            await pool.Queue.PutAsync(call);
            await call.Settled.Within("the call is served");
        }

        await pool.StopAsync(drain: false, null, CancellationToken.None).Within("the pool stops");
    }

    [Fact]
    public async Task A_pool_that_is_stopped_before_it_has_enough_starts_no_others()
    {
        var never = new TaskCompletionSource<IWorker>();
        var launcher = new FakeLauncher(_ => never.Task);
        var pool = Pool(launcher);
        using var cancel = new CancellationTokenSource();
        var starting = pool.StartAsync(cancel.Token);
        Assert.Equal(1, await launcher.NextStartAsync());
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting.Within("the start ends"));
        Assert.False(launcher.NextStartAsync().AsTask().IsCompleted, "Expected no other worker to be started.");
    }

    private static Supervisor Pool(FakeLauncher launcher) => new("p", Some.Settings(options =>
    {
        options.Workers = 3;
        options.MinWorkers = 1;
        options.Restart = new RestartPolicy { FirstDelay = TimeSpan.Zero, MaxDelay = TimeSpan.Zero };
    }), launcher);
}
