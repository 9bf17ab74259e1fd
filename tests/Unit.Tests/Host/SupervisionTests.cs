using ProcessPool.Protocol;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>Who is blamed for what when a worker dies, hangs or is told to stop. No process, no real time.</summary>
public sealed class SupervisionTests
{
    [Fact]
    public async Task A_dead_worker_fails_its_call_and_the_next_call_runs_on_a_new_one()
    {
        var first = new FakeWorker("w");
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering()).StartedAsync();
        first.OnInvoke = (_, _) => Dying(first);
        var lost = await rig.PutAsync();
        await rig.ServeAsync("the other call settles");

        var crash = await Assert.ThrowsAsync<WorkerCrashedException>(() => lost.Settled.Within("the lost call settles"));
        Assert.Equal((CrashReason.Crashed, lost.Request.Id, Execution.Started, 1), (crash.Reason, crash.CallId!.Value, crash.Execution, crash.Incarnation!.Value));
        Assert.NotSame(crash, rig.Pool.LastError);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_call_taken_for_a_worker_that_is_gone_runs_on_the_next_one()
    {
        var first = PoolRig.Answering();
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering()).StartedAsync();
        first.Die(Some.Exit());
        await rig.ServeAsync("the call settles on the second worker");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_worker_that_dies_idle_is_replaced_and_remembered()
    {
        var first = new FakeWorker("w");
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering()).StartedAsync();
        first.Die(Some.Exit(CrashReason.StackOverflow));
        await rig.ServeAsync("the replacement serves");
        Assert.Equal(CrashReason.StackOverflow, Assert.IsType<WorkerCrashedException>(rig.Pool.LastError).Reason);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_call_that_its_dead_worker_had_not_begun_goes_back_to_the_head_of_the_queue()
    {
        var first = new FakeWorker("w");
        var order = new List<long>();
        var second = new FakeWorker("w")
        {
            OnInvoke = (request, _) =>
            {
                order.Add(request.Id);
                return Task.FromResult(Some.Reply);
            },
        };
        var rig = await new PoolRig(number => number == 1 ? first : second).StartedAsync();
        var begun = new TaskCompletionSource();
        first.OnInvoke = (_, _) =>
        {
            begun.SetResult();
            return new TaskCompletionSource<CallReply>().Task;
        };
        var returned = await rig.PutAsync();
        await begun.Task.Within("the call is handed over");
        var behind = await rig.PutAsync();
        first.Die(Some.Exit(mark: new RecorderMark(StartedCall: 0, StartedAt: 0, FinishedCall: 0)));
        await returned.Settled.Within("the call that was not begun is served by the next worker");
        await behind.Settled.Within("the one behind it too");
        Assert.Equal([returned.Request.Id, behind.Request.Id], order);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_call_whose_workers_always_die_before_it_begins_is_blamed_the_third_time()
    {
        var rig = await new PoolRig(number =>
        {
            var worker = new FakeWorker("w");
            worker.OnInvoke = (request, _) => request.EntryPoint == "Deadly" ? Dying(worker, new RecorderMark(0, 0, 0)) : Task.FromResult(Some.Reply);
            return worker;
        }).StartedAsync();
        var deadly = await rig.PutAsync(Some.Call("Deadly"));
        var others = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => rig.PutAsync()));
        for (var restart = 2; restart <= 3; restart++)
        {
            await rig.Time.PassNextAsync(due => due > TimeSpan.Zero && due < TimeSpan.FromSeconds(1)).Within($"restart {restart} waits");
        }

        var blamed = await Assert.ThrowsAsync<WorkerCrashedException>(() => deadly.Settled.Within("the deadly call is blamed"));
        Assert.Equal((Execution.NotStarted, 3), (blamed.Execution, blamed.Incarnation!.Value));
        Assert.Contains("as two workers before it", blamed.Message);
        await Task.WhenAll(others.Select(other => other.Settled)).Within("the others are served");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_forged_recorder_harms_its_own_call_only()
    {
        var first = new FakeWorker("w");
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering()).StartedAsync();
        first.OnInvoke = (_, _) => Dying(first, new RecorderMark(long.MinValue, long.MaxValue, -1));
        var call = await rig.PutAsync();
        await call.Settled.Within("the call is served by the next worker");
        await rig.StopAsync();
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
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering(), options => options.CallTimeout = TimeSpan.FromSeconds(3)).StartedAsync();
        var call = await rig.PutAsync(Some.Call(acceptsCancellation: true));
        await started.Task.Within("the call begins");
        rig.Time.Advance(TimeSpan.FromSeconds(3));
        var timeout = await Assert.ThrowsAsync<CallTimeoutException>(() => call.Settled.Within("the call times out"));
        Assert.Equal((TimeoutPhase.Execute, TimeSpan.FromSeconds(3)), (timeout.Phase, timeout.Timeout));
        Assert.True(asked.Task.IsCompleted && !first.Killed, "Expected the call to be asked to end, and its worker to be stopped gently.");
        await rig.ServeAsync("the next call runs on a new worker");
        await rig.StopAsync();
    }

    [Theory]
    [InlineData(null, 3)]
    [InlineData(1, 1)]
    public async Task A_call_that_cannot_listen_costs_its_worker_at_once_when_its_own_or_the_pools_time_is_up(int? own, int seconds)
    {
        var (first, begun) = Hanging();
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering(), options => options.CallTimeout = TimeSpan.FromSeconds(3)).StartedAsync();
        var call = await rig.PutAsync(Some.Call(timeout: own is { } value ? TimeSpan.FromSeconds(value) : null));
        await begun.Within("the call begins");
        rig.Time.Advance(TimeSpan.FromSeconds(seconds));
        await Assert.ThrowsAsync<CallTimeoutException>(() => call.Settled.Within("the call times out"));
        Assert.True(first.Killed);
        await rig.StopAsync();
    }

    [Fact]
    public async Task The_time_of_a_call_counts_from_when_it_began_by_the_recorder()
    {
        var (first, begun) = Hanging();
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering(), options => options.CallTimeout = TimeSpan.FromSeconds(3)).StartedAsync();
        var call = await rig.PutAsync();
        await begun.Within("the call is handed over");
        rig.Time.Advance(TimeSpan.FromSeconds(2));
        first.Mark = new RecorderMark(call.Request.Id, rig.Time.GetTimestamp(), 0);
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        rig.Time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(first.Killed, "Expected the call to have its 3 s from its beginning, 2 s after it was handed over.");
        rig.Time.Advance(TimeSpan.FromSeconds(0.1));
        await Assert.ThrowsAsync<CallTimeoutException>(() => call.Settled.Within("the call times out"));
        await rig.StopAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_recorder_that_lies_about_the_time_wins_no_more_than_the_timeout_once(bool future)
    {
        var (first, begun) = Hanging();
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering(), options => options.CallTimeout = TimeSpan.FromSeconds(3)).StartedAsync();
        var call = await rig.PutAsync();
        await begun.Within("the call is handed over");
        first.Mark = future ? new RecorderMark(call.Request.Id, long.MaxValue, 0) : new RecorderMark(0, 0, 0);
        rig.Time.Advance(TimeSpan.FromSeconds(3));
        rig.Time.Advance(TimeSpan.FromSeconds(3));
        await Assert.ThrowsAsync<CallTimeoutException>(() => call.Settled.Within("the call times out"));
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_host_that_was_suspended_looks_for_the_reply_before_it_kills()
    {
        var reply = new TaskCompletionSource<CallReply>();
        var (worker, begun) = Hanging(reply.Task);
        var rig = await new PoolRig(_ => worker, options => options.CallTimeout = TimeSpan.FromSeconds(3)).StartedAsync();
        var call = await rig.PutAsync();
        await begun.Within("the call begins");
        worker.Mark = new RecorderMark(call.Request.Id, rig.Time.GetTimestamp(), 0);
        rig.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(worker.Killed, "Expected a reply that may wait in the pipe to be waited for.");
        reply.SetResult(Some.Reply);
        await call.Settled.Within("the reply is delivered");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_cancelled_call_that_cannot_listen_is_given_up_at_once_and_its_worker_kept_if_it_ends_in_time()
    {
        var end = new TaskCompletionSource<CallReply>();
        var (worker, begun) = Hanging(end.Task);
        var rig = await new PoolRig(_ => worker).StartedAsync();
        using var cancel = new CancellationTokenSource();
        var cancelled = await rig.PutAsync(Some.Call(token: cancel.Token));
        await begun.Within("the call begins");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Settled.Within("the caller is released"));
        end.SetResult(Some.Reply);
        await rig.ServeAsync("the same worker serves the next call");
        Assert.False(worker.Killed);
        await rig.StopAsync();
    }

    [Fact]
    public async Task Stopping_reports_what_it_has_cost()
    {
        var (hanging, begun) = Hanging();
        var (ending, endingBegun) = Hanging(Task.FromResult(Some.Reply));
        var rig = await new PoolRig(_ => hanging).StartedAsync();
        await rig.PutAsync();
        await begun.Within("the call begins");
        await rig.PutAsync();
        await rig.PutAsync();
        Assert.Equal(new StopReport(Completed: 0, Cancelled: 3, Killed: 1), await rig.StopAsync());

        var draining = await new PoolRig(_ => ending).StartedAsync();
        await draining.PutAsync();
        await endingBegun.Within("the call begins");
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => draining.ServeAsync("a call is served")));
        Assert.Equal(new StopReport(0, 0, 0), await draining.Pool.StopAsync(drain: true, null, CancellationToken.None).Within("the pool drains"));
    }

    [Fact]
    public async Task A_drain_ends_at_its_deadline()
    {
        var (hanging, begun) = Hanging();
        var rig = await new PoolRig(_ => hanging).StartedAsync();
        var call = await rig.PutAsync();
        await begun.Within("the call begins");
        var stop = rig.Pool.StopAsync(drain: true, TimeSpan.FromSeconds(5), CancellationToken.None);
        await rig.Time.PassNextAsync(due => due == TimeSpan.FromSeconds(5)).Within("the deadline is armed");
        Assert.Equal(new StopReport(0, 1, 1), await stop.Within("the stop ends"));
        Assert.Equal(RejectionReason.Stopped, (await Assert.ThrowsAsync<CallRejectedException>(() => call.Settled)).Reason);
    }

    private static Task<CallReply> Dying(FakeWorker worker, RecorderMark? mark = null)
    {
        worker.Die(Some.Exit(mark: mark));
        return new TaskCompletionSource<CallReply>().Task;
    }

    /// <summary>A worker whose calls end with the given task, or never; and a task that ends when the first call begins.</summary>
    private static (FakeWorker Worker, Task Begun) Hanging(Task<CallReply>? end = null)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (new FakeWorker("w")
        {
            OnInvoke = (_, _) =>
            {
                begun.TrySetResult();
                return end ?? new TaskCompletionSource<CallReply>().Task;
            },
        }, begun.Task);
    }
}
