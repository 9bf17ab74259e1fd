using System.Text;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>Items of a map that go to a worker together end as if each had come alone. No process, no real time.</summary>
public sealed class BundleTests
{
    private const int Count = 6;

    private static long s_lastId = 1_000_000;

    private readonly Dictionary<int, Invocation> _calls = [];

    [Fact]
    public async Task Items_that_succeed_have_their_results_and_never_become_calls()
    {
        var worker = new FakeWorker("w") { OnInvoke = (request, _) => Task.FromResult(Reply(request)) };
        var rig = await new PoolRig(_ => worker).StartedAsync();
        var (bundle, carrier) = await PutAsync(rig);
        await carrier.Settled.Within("the bundle is done");
        Assert.Equal(Enumerable.Range(0, Count).Select(index => $"[{index}]"), Enumerable.Range(0, Count).Select(index => ResultOf(bundle, index)));
        Assert.Empty(_calls);
        Assert.Equal([Count], worker.Chunks);
        await rig.StopAsync();
    }

    [Fact]
    public async Task An_item_whose_code_throws_fails_alone()
    {
        var rig = await new PoolRig(_ => new FakeWorker("w") { OnInvoke = (request, _) => Task.FromResult(IsItem(request, 2) ? Some.Error("E") : Reply(request)) }).StartedAsync();
        var (bundle, carrier) = await PutAsync(rig);
        await carrier.Settled.Within("the bundle is done");
        Assert.Equal([2], _calls.Keys);
        Assert.Equal(CallStatus.PluginThrew, (await _calls[2].Settled).Reply.Status);
        Assert.Equal("[3]", ResultOf(bundle, 3));
        await rig.StopAsync();
    }

    [Fact]
    public async Task When_an_item_kills_its_worker_those_before_it_have_their_results_and_those_after_it_run_on_the_next_in_their_order()
    {
        var order = new List<string>();
        var first = new FakeWorker("w");
        first.OnInvoke = (request, _) =>
        {
            first.Mark = new RecorderMark(request.Id, 0, 0);
            if (!IsItem(request, 2))
            {
                return Task.FromResult(Reply(request));
            }

            first.Die(Some.Exit(mark: first.Mark));
            return new TaskCompletionSource<CallReply>().Task;
        };
        var second = new FakeWorker("w")
        {
            OnInvoke = (request, _) =>
            {
                order.Add(Encoding.UTF8.GetString(request.Payload.Span));
                return Task.FromResult(Reply(request));
            },
        };
        var rig = await new PoolRig(number => number == 1 ? first : second).StartedAsync();
        var (bundle, carrier) = await PutAsync(rig);
        await carrier.Settled.Within("the bundle is done");

        Assert.Equal(["[0]", "[1]"], [ResultOf(bundle, 0), ResultOf(bundle, 1)]);
        var crash = await Assert.ThrowsAsync<WorkerCrashedException>(() => _calls[2].Settled.Within("the deadly item settles"));
        Assert.Equal((bundle.IdOf(2), Execution.Started), (crash.CallId, crash.Execution));
        Assert.Equal((bundle.IdOf(2), Execution.Started), (rig.Pool.LastError!.CallId, rig.Pool.LastError.Execution));
        await Task.WhenAll(_calls.Where(call => call.Key > 2).Select(call => call.Value.Settled)).Within("the others settle");
        Assert.Equal(["[3]", "[4]", "[5]"], order);
        await rig.StopAsync();
    }

    [Fact]
    public async Task Items_behind_one_that_takes_long_go_to_a_worker_that_has_nothing_to_do()
    {
        var held = new TaskCompletionSource<CallReply>();
        var begun = new TaskCompletionSource();
        var rig = await new PoolRig(_ => Holding(held.Task, begun), options => options.Workers = 2).StartedAsync();
        var (bundle, carrier) = await PutAsync(rig);
        await begun.Task.Within("the long item begins");
        await Until.HoldsAsync(
            () =>
            {
                rig.Time.Advance(TimeSpan.FromMilliseconds(10));
                lock (_calls)
                {
                    return _calls.Count == Count - 2 && _calls.Values.All(call => call.Settled.IsCompleted);
                }
            },
            "those behind the long one are served");
        Assert.Equal([2, 3, 4, 5], _calls.Keys.Order());
        await Task.WhenAll(_calls.Values.Select(call => call.Settled)).Within("the others settle");
        held.SetResult(Some.Reply);
        await carrier.Settled.Within("the bundle is done");
        Assert.Equal("1", ResultOf(bundle, 1));
        await rig.StopAsync();
    }

    [Fact]
    public async Task Items_behind_one_that_takes_long_make_way_for_a_call_of_a_higher_priority_that_may_not_wait_for_ever()
    {
        var held = new TaskCompletionSource<CallReply>();
        var begun = new TaskCompletionSource();
        var order = new List<long>();
        var worker = Holding(held.Task, begun);
        var answer = worker.OnInvoke!;
        worker.OnInvoke = (request, token) =>
        {
            order.Add(request.Id);
            return answer(request, token);
        };
        var rig = await new PoolRig(_ => worker, pool => (pool.QueueTimeout, pool.QueueCapacity) = (TimeSpan.FromSeconds(1), 3)).StartedAsync();
        var options = new CallOptions { Priority = CallPriority.Low, IsOfMap = true };
        var (bundle, carrier) = await PutAsync(rig, options: options);
        await begun.Task.Within("the long item begins");
        await rig.Time.NextAsync(due => due == ChunkStage.Look).Within("the pool is about to look");
        var nextItem = await rig.PutAsync(new Invocation(Some.Call().Request, default, options, callbacks: null, default));
        var since = rig.Time.GetTimestamp();
        await ChunkStage.PassAsync(rig, () => rig.Time.GetElapsedTime(since) > TimeSpan.FromSeconds(2));
        Assert.Empty(_calls);
        var call = await rig.PutAsync();
        await ChunkStage.PassAsync(rig, () => rig.Pool.Queue.Count == Count);

        // What was taken back takes no room from others.
        var late = await rig.PutAsync().Within("there is room");
        order.Clear();
        held.SetResult(Some.Reply);
        await Task.WhenAll(_calls.Values.Append(call).Append(late).Append(nextItem).Select(each => each.Settled)).Within("all are served");
        await carrier.Settled.Within("the bundle is done");
        Assert.Equal([call.Request.Id, late.Request.Id, .. new[] { 2, 3, 4, 5 }.Select(bundle.IdOf), nextItem.Request.Id], order);
        await rig.StopAsync();
    }

    [Fact]
    public async Task When_nobody_wants_the_rest_what_has_not_begun_ends_at_once_and_what_does_not_end_costs_its_worker()
    {
        using var leaves = new CancellationTokenSource();
        var begun = new TaskCompletionSource();
        var worker = Holding(new TaskCompletionSource<CallReply>().Task, begun);
        var rig = await new PoolRig(number => number == 1 ? worker : PoolRig.Answering()).StartedAsync();
        var (bundle, carrier) = await PutAsync(rig, leaves.Token);
        await begun.Task.Within("the item begins");
        await leaves.CancelAsync();
        await worker.Asked.Task.Within("the item is asked to end");
        foreach (var index in new[] { 2, 3, 4, 5 })
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _calls[index].Settled.Within("an item that has not begun ends"));
        }

        rig.Time.Advance(Some.Settings().CancelGrace);
        await carrier.Settled.Within("the bundle is done");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _calls[1].Settled.Within("the item that executes ends"));
        Assert.True(worker.Killed, "Expected the worker to be killed after the grace.");
        Assert.Equal("[0]", ResultOf(bundle, 0));
        await rig.ServeAsync("the next call is served");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_bundle_that_waits_when_the_pool_stops_is_refused_and_each_of_its_items_is_counted()
    {
        var worker = new FakeWorker("w");
        var rig = await new PoolRig(_ => worker).StartedAsync();
        var executing = await rig.PutAsync();
        var (bundle, carrier) = await PutAsync(rig);
        var report = await rig.Pool.StopAsync(drain: false, null, CancellationToken.None).Within("the pool stops");
        await Assert.ThrowsAsync<CallRejectedException>(() => carrier.Settled.Within("the bundle is refused"));
        for (var i = 0; i < Count; i++)
        {
            Assert.Equal(bundle.IdOf(i), (await Assert.ThrowsAsync<CallRejectedException>(() => _calls[i].Settled.Within("the item is refused"))).CallId);
        }

        await Assert.ThrowsAsync<CallRejectedException>(() => executing.Settled.Within("the call is cut off"));
        Assert.Equal(Count + 1, report.Cancelled);
    }

    private async Task<(Bundle Bundle, Invocation Carrier)> PutAsync(PoolRig rig, CancellationToken token = default, CallOptions? options = null)
    {
        var bundle = new Bundle("Do", Interlocked.Add(ref s_lastId, Count), Count);
        for (var i = 0; i < Count; i++)
        {
            bundle.Add(Encoding.UTF8.GetBytes($"[{i}]"));
        }

        Assert.True(bundle.IsFull);
        bundle.Close(MakeCall, () => { }, token);
        var carrier = new Invocation(new CallRequest(bundle.IdOf(0), "Do", default, []), default, options ?? CallOptions.Default, callbacks: null, token) { Bundle = bundle };
        await rig.PutAsync(carrier);
        return (bundle, carrier);

        Invocation MakeCall(int index)
        {
            var call = new Invocation(new CallRequest(bundle.IdOf(index), "Do", bundle.PayloadOf(index), []), default, options ?? CallOptions.Default, callbacks: null, token);
            call.Assign();
            lock (_calls)
            {
                _calls.Add(index, call);
            }

            return call;
        }
    }

    // Answers every item but the second, and takes back what it has not begun.
    private static FakeWorker Holding(Task<CallReply> held, TaskCompletionSource begun)
    {
        var worker = new FakeWorker("w");
        worker.OnRevoke = ids => ids.Where(id => id != worker.Mark?.StartedCall).ToList();
        worker.OnInvoke = (request, _) =>
        {
            worker.Mark = new RecorderMark(request.Id, 0, 0);
            if (!IsItem(request, 1))
            {
                return Task.FromResult(Reply(request));
            }

            begun.SetResult();
            return held;
        };
        return worker;
    }

    private static bool IsItem(CallRequest request, int index) => request.Payload.Span.SequenceEqual(Encoding.UTF8.GetBytes($"[{index}]"));

    private static CallReply Reply(CallRequest request) => new(CallStatus.Succeeded, request.Payload, [], null);

    private static string? ResultOf(Bundle bundle, int index) => bundle.TryTakeResult(index, out var json) ? Encoding.UTF8.GetString(json.Span) : null;
}
