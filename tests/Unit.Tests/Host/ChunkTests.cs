using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>Short calls that wait go to a worker together, and each ends as if it had come alone. No process, no real time.</summary>
public sealed class ChunkTests
{
    private readonly TaskCompletionSource _go = new();

    [Fact]
    public async Task Calls_that_wait_go_together_more_and_more_as_long_as_they_are_short()
    {
        var worker = new FakeWorker("w") { OnInvoke = AnswerAsync };
        var rig = await new PoolRig(_ => worker).StartedAsync();
        var calls = await rig.PutAsync(7);
        _go.SetResult();
        await SettleAsync(calls);
        Assert.Equal([2, 4], worker.Chunks);
        await rig.StopAsync();
    }

    [Fact]
    public async Task Calls_that_are_traced_go_together_with_others_and_each_is_part_of_its_own_span()
    {
        var seen = new List<string?>();
        var worker = new FakeWorker("w")
        {
            OnInvoke = (request, token) =>
            {
                seen.Add(request.Trace?.Id);
                return AnswerAsync(request, token);
            },
        };
        var rig = await new PoolRig(_ => worker).StartedAsync();
        var calls = await rig.PutAsync(3);
        foreach (var id in new[] { "00-a", "00-b", null, "00-c" })
        {
            calls.Add(await rig.PutAsync(Some.Call(trace: id is null ? null : new TraceParent(id, ""))));
        }

        _go.SetResult();
        await SettleAsync(calls);
        Assert.Equal([2, 4], worker.Chunks);
        Assert.Equal([null, null, null, "00-a", "00-b", null, "00-c"], seen);
        await rig.StopAsync();
    }

    [Fact]
    public async Task Calls_that_need_a_worker_for_themselves_go_alone()
    {
        var worker = new FakeWorker("w") { OnInvoke = AnswerAsync };
        var rig = await new PoolRig(_ => worker).StartedAsync();
        var calls = await rig.PutAsync(1);
        foreach (var alone in new[] { Some.Call(timeout: TimeSpan.FromMilliseconds(50)), Some.Call(affinityKey: "k"), Some.Call("Other"), Some.Call(priority: CallPriority.Low) })
        {
            calls.Add(await rig.PutAsync(alone));
        }

        _go.SetResult();
        await SettleAsync(calls);
        Assert.Empty(worker.Chunks);
        await rig.StopAsync();
    }

    [Fact]
    public async Task When_a_call_kills_its_worker_those_before_it_have_their_results_and_those_after_it_run_on_the_next()
    {
        var order = new List<long>();
        var deadly = Some.Call();
        var first = new FakeWorker("w");
        first.OnInvoke = async (request, token) =>
        {
            if (request.Id == deadly.Request.Id)
            {
                first.Mark = new RecorderMark(request.Id, 0, 0);
                first.Die(Some.Exit(mark: first.Mark));
                return await new TaskCompletionSource<CallReply>().Task;
            }

            return await AnswerAsync(request, token);
        };
        var second = new FakeWorker("w")
        {
            OnInvoke = (request, _) =>
            {
                order.Add(request.Id);
                return Task.FromResult(Some.Reply);
            },
        };
        var rig = await new PoolRig(number => number == 1 ? first : second).StartedAsync();
        var before = await rig.PutAsync(4);
        await rig.PutAsync(deadly);
        var after = await rig.PutAsync(2);
        _go.SetResult();

        await SettleAsync(before);
        await SettleAsync(after);
        var crash = await Assert.ThrowsAsync<WorkerCrashedException>(() => deadly.Settled.Within("the deadly call settles"));
        Assert.Equal((deadly.Request.Id, Execution.Started), (crash.CallId!.Value, crash.Execution));
        Assert.Equal([2, 4], first.Chunks);
        Assert.Equal(after.Select(call => call.Request.Id), order);
        Assert.Same(crash.GetType(), Assert.IsType<WorkerCrashedException>(rig.Pool.LastError).GetType());
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_caller_who_leaves_before_his_call_began_is_let_go_at_once_and_the_others_get_their_results()
    {
        using var leaves = new CancellationTokenSource();
        var held = new TaskCompletionSource<CallReply>();
        var slow = Some.Call();
        var left = Some.Call(token: leaves.Token);
        var worker = new FakeWorker("w");
        worker.OnInvoke = (request, token) =>
        {
            worker.Mark = new RecorderMark(request.Id, 0, 0);
            return request.Id == slow.Request.Id ? held.Task : AnswerAsync(request, token);
        };
        var rig = await new PoolRig(_ => worker).StartedAsync();
        var calls = await rig.PutAsync(1);
        calls.Add(await rig.PutAsync(slow));
        await rig.PutAsync(left);
        _go.SetResult();
        await calls[0].Settled.Within("the first call settles");
        Assert.Equal([2], worker.Chunks);

        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left.Settled.Within("the caller is let go"));
        Assert.Contains(left.Request.Id, worker.CancelledCalls);
        held.SetResult(Some.Reply);
        await SettleAsync(calls);
        Assert.False(worker.Killed, "Expected the worker to be kept.");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_cancelled_call_that_executes_and_does_not_end_costs_the_worker_after_the_grace_and_the_one_after_it_runs_on_the_next()
    {
        using var leaves = new CancellationTokenSource();
        var stuck = Some.Call(token: leaves.Token);
        var begun = new TaskCompletionSource();
        var first = new FakeWorker("w");
        first.OnInvoke = (request, token) =>
        {
            first.Mark = new RecorderMark(request.Id, 0, 0);
            if (request.Id != stuck.Request.Id)
            {
                return AnswerAsync(request, token);
            }

            begun.SetResult();
            return new TaskCompletionSource<CallReply>().Task;
        };
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering()).StartedAsync();
        var calls = await rig.PutAsync(1);
        await rig.PutAsync(stuck);
        calls.Add(await rig.PutAsync());
        _go.SetResult();
        await begun.Task.Within("the call begins");
        await leaves.CancelAsync();
        await first.Asked.Task.Within("the call is asked to end, from when on its grace counts");
        rig.Time.Advance(Some.Settings().CancelGrace);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stuck.Settled.Within("the stuck call settles"));
        await SettleAsync(calls);
        Assert.True(first.Killed, "Expected the worker to be killed after the grace.");
        await rig.StopAsync();
    }

    [Fact]
    public async Task Calls_behind_one_that_takes_long_go_to_a_worker_that_has_nothing_to_do()
    {
        var held = new TaskCompletionSource<CallReply>();
        var slow = Some.Call();
        var busy = new FakeWorker("w");
        var other = new FakeWorker("w");
        var go = new TaskCompletionSource<CallReply>();
        var rig = await new PoolRig(number => number == 1 ? busy : other, options => options.Workers = 2).StartedAsync();
        busy.OnRevoke = other.OnRevoke = ids => ids.Where(id => id != slow.Request.Id).ToList();

        // Both workers are busy; what waits then goes to one of them together.
        other.OnInvoke = (_, _) => go.Task;
        busy.OnInvoke = (_, _) => go.Task;
        var first = await rig.PutAsync(2);
        var calls = new List<Invocation>();
        await rig.PutAsync(slow);
        calls.AddRange(await rig.PutAsync(3));
        busy.OnInvoke = other.OnInvoke = (request, _) => request.Id == slow.Request.Id ? held.Task : Task.FromResult(Some.Reply);
        go.SetResult(Some.Reply);
        await SettleAsync(first);
        for (var i = 0; i < 100 && !calls.TrueForAll(call => call.Settled.IsCompleted); i++)
        {
            rig.Time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        await SettleAsync(calls);
        Assert.False(slow.Settled.IsCompleted, "Expected the slow call to go on.");
        held.SetResult(Some.Reply);
        await slow.Settled.Within("the slow call settles");
        await rig.StopAsync();
    }

    [Fact]
    public async Task Where_calls_may_wait_for_less_than_a_tenth_of_a_second_they_go_alone()
    {
        var worker = new FakeWorker("w") { OnInvoke = AnswerAsync };
        var rig = await new PoolRig(_ => worker, options => options.QueueTimeout = TimeSpan.FromMilliseconds(99)).StartedAsync();
        var calls = await rig.PutAsync(7);
        _go.SetResult();
        await SettleAsync(calls);
        Assert.Empty(worker.Chunks);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_pool_that_is_stopped_fails_every_call_that_has_no_reply()
    {
        var first = Some.Call();
        var worker = new FakeWorker("w") { OnInvoke = (request, token) => request.Id == first.Request.Id ? AnswerAsync(request, token) : new TaskCompletionSource<CallReply>().Task };
        var rig = await new PoolRig(_ => worker).StartedAsync();
        await rig.PutAsync(first);
        var calls = await rig.PutAsync(2);
        _go.SetResult();
        await SettleAsync([first]);
        await rig.StopAsync();
        foreach (var call in calls)
        {
            Assert.Equal(RejectionReason.Stopped, (await Assert.ThrowsAsync<CallRejectedException>(() => call.Settled.Within("the call settles"))).Reason);
        }
    }

    [Fact]
    public void Long_calls_go_alone_again()
    {
        var time = new WatchedTime();
        var sizes = new ChunkSizes(time);
        for (var size = 1; size < 64; size *= 2)
        {
            Assert.Equal(size, sizes.Of("Do"));
            sizes.Ran("Do", size, time.GetTimestamp());
        }

        for (var size = 64; size > 1; size /= 2)
        {
            // Once may be the machine's doing.
            for (var i = 0; i < 2; i++)
            {
                Assert.Equal(size, sizes.Of("Do"));
                var since = time.GetTimestamp();
                time.Advance(TimeSpan.FromMilliseconds(5));
                sizes.Ran("Do", size, since);
            }
        }

        Assert.Equal(1, sizes.Of("Do"));
        Assert.Equal(1, sizes.Of("Another"));
    }

    [Fact]
    public void That_calls_which_were_taken_back_are_short_alone_does_not_hide_that_they_took_long_together()
    {
        var time = new WatchedTime();
        var sizes = new ChunkSizes(time);
        for (var size = 1; size < 64; size *= 2)
        {
            sizes.Ran("Do", size, time.GetTimestamp());
        }

        foreach (var expected in new[] { 64, 32 })
        {
            var since = time.GetTimestamp();
            time.Advance(TimeSpan.FromMilliseconds(30));
            sizes.Ran("Do", 64, since);
            sizes.Ran("Do", 1, time.GetTimestamp());
            Assert.Equal(expected, sizes.Of("Do"));
        }
    }

    // The first call of all holds the worker until it may go.
    private async Task<CallReply> AnswerAsync(CallRequest request, CancellationToken cancellationToken)
    {
        await _go.Task;
        return Some.Reply;
    }

    private static Task SettleAsync(IEnumerable<Invocation> calls) => Task.WhenAll(calls.Select(call => call.Settled)).Within("the calls settle");
}
