using ProcessPool.Scheduling;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>A worker for one user, over fake workers.</summary>
public sealed class LeaseTests
{
    [Fact]
    public async Task A_leased_worker_serves_its_user_only_and_then_the_pool_again()
    {
        var rig = await new PoolRig().StartedAsync();
        var (lease, asked) = await LeaseAsync(rig);
        var others = await rig.PutAsync();
        for (var i = 0; i < 10; i++)
        {
            await ServeAsync(lease, "a call of the lease is served");
        }

        Assert.False(others.Settled.IsCompleted, "Expected the call of another to wait.");
        lease.Release("p");
        await lease.Ended.Within("the lease ends");
        await asked.Settled.Within("the lease is settled");
        await others.Settled.Within("the pool serves again");
        var late = Some.Call();
        await lease.Queue.PutAsync(late);
        Assert.Equal(RejectionReason.LeaseEnded, (await Assert.ThrowsAsync<CallRejectedException>(() => late.Settled)).Reason);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_drain_waits_for_a_lease_and_lets_it_go_on()
    {
        var rig = await new PoolRig().StartedAsync();
        var (lease, _) = await LeaseAsync(rig);
        var stop = rig.Pool.StopAsync(drain: true, null, CancellationToken.None);
        await ServeAsync(lease, "a call of the lease is served during the drain");
        Assert.False(stop.IsCompleted, "Expected the drain to wait for the lease.");
        lease.Release("p");
        await stop.Within("the pool stops");
    }

    [Fact]
    public async Task A_stop_ends_a_lease_and_what_waits_in_it()
    {
        var worker = new FakeWorker("w");
        var rig = await new PoolRig(_ => worker).StartedAsync();
        var (lease, asked) = await LeaseAsync(rig);
        var executing = Some.Call();
        var waiting = Some.Call();
        await lease.Queue.PutAsync(executing);
        await lease.Queue.PutAsync(waiting);
        await Until.HoldsAsync(() => executing.Phase == CallPhase.Assigned, "the call is handed over");

        await rig.StopAsync();
        Assert.Equal(RejectionReason.Stopped, (await Assert.ThrowsAsync<CallRejectedException>(() => executing.Settled.Within("what executes is cut off"))).Reason);
        Assert.Equal(RejectionReason.Stopped, (await Assert.ThrowsAsync<CallRejectedException>(() => waiting.Settled.Within("what waits is refused"))).Reason);
        Assert.True(lease.Ended.IsCompleted && asked.Settled.IsCompleted);
    }

    [Fact]
    public async Task A_call_that_was_not_begun_when_the_leased_worker_died_does_not_go_to_another_one()
    {
        var first = new FakeWorker("w") { Mark = new RecorderMark(0, 0, 0) };
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering()).StartedAsync();
        var (lease, _) = await LeaseAsync(rig);
        var call = Some.Call();
        await lease.Queue.PutAsync(call);
        await Until.HoldsAsync(() => call.Phase == CallPhase.Assigned, "the call is handed over");

        first.Die(Some.Exit(mark: first.Mark));
        Assert.Equal(Execution.NotStarted, (await Assert.ThrowsAsync<WorkerCrashedException>(() => call.Settled.Within("the call fails"))).Execution);
        await lease.Ended.Within("the lease is over");
        await rig.ServeAsync("the pool goes on");
        await rig.StopAsync();
    }

    [Fact]
    public async Task Waiting_for_a_lease_can_be_given_up()
    {
        var rig = await new PoolRig().StartedAsync();
        var (lease, _) = await LeaseAsync(rig);
        using var cancel = new CancellationTokenSource();
        var second = new Invocation(Some.Call().Request, default, CallOptions.Default, null, cancel.Token) { Lease = new Lease(rig.Pool.NewQueue()) };
        await rig.Pool.Queue.PutAsync(second);
        await cancel.CancelAsync();
        rig.Pool.Queue.Withdraw(second);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.Settled.Within("the waiting ends"));
        lease.Release("p");
        await rig.ServeAsync("the worker is free");
        await rig.StopAsync();
    }

    private static async Task<(Lease Lease, Invocation Asked)> LeaseAsync(PoolRig rig)
    {
        var lease = new Lease(rig.Pool.NewQueue());
        var asked = new Invocation(Some.Call().Request, default, CallOptions.Default, null, CancellationToken.None) { Lease = lease };
        await rig.Pool.Queue.PutAsync(asked);
        await lease.Granted.Within("a worker is free");
        return (lease, asked);
    }

    private static async Task ServeAsync(Lease lease, string what)
    {
        var call = Some.Call();
        await lease.Queue.PutAsync(call);
        await call.Settled.Within(what);
    }
}
