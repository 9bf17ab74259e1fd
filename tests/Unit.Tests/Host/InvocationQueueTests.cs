using Microsoft.Extensions.Time.Testing;
using ProcessPool.Scheduling;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

public sealed class InvocationQueueTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly InvocationQueue _queue;
    private readonly Taker _taker;

    public InvocationQueueTests()
    {
        _queue = NewQueue();
        _taker = new Taker(_queue);
    }

    [Fact]
    public async Task Calls_come_out_in_the_order_they_went_in()
    {
        Invocation[] calls = [Some.Call(), Some.Call(), Some.Call(), Some.Call()];
        var puts = calls.Select(_queue.PutAsync).ToList();
        Assert.Equal([true, true, false, false], puts.Select(put => put.IsCompleted));
        foreach (var call in calls)
        {
            Assert.Same(call, await _taker.TakeAsync());
        }

        await Task.WhenAll(puts).Within("callers get their room");
    }

    [Fact]
    public async Task A_waiting_slot_gets_a_call_without_it_being_queued()
    {
        var take = _taker.TakeAsync();
        var call = Some.Call();
        await _queue.PutAsync(call);
        Assert.Same(call, await take.AsTask().Within("the slot gets the call"));
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task Calls_of_one_key_wait_for_one_taker_while_the_others_take_the_rest()
    {
        var queue = new InvocationQueue(100, WhenFull.Wait, null, _time, new TestErrors());
        Taker[] takers = [new(queue), new(queue), new(queue)];
        takers.ToList().ForEach(queue.Register);
        var keyed = Enumerable.Range(0, 10).Select(_ => Some.Call(affinityKey: "k")).ToList();
        foreach (var call in keyed)
        {
            await queue.PutAsync(call);
        }

        var plain = Some.Call();
        await queue.PutAsync(plain);
        var owner = takers.Single(taker => taker.Own.Count == 10);
        var others = takers.Where(taker => taker != owner).ToList();
        Assert.Same(plain, await others[0].TakeAsync());
        Task<Invocation?>[] idle = [others[0].TakeAsync().AsTask(), others[1].TakeAsync().AsTask()];
        Assert.All(idle, take => Assert.False(take.IsCompleted, "Expected the calls of the key not to be given to another taker."));
        foreach (var call in keyed)
        {
            Assert.Same(call, await owner.TakeAsync());
        }

        var next = Some.Call(affinityKey: "k");
        await queue.PutAsync(next);
        Assert.All(idle, take => Assert.False(take.IsCompleted));
        queue.SetActive(owner, false);
        Assert.Same(next, await (await Task.WhenAny(idle)).Within("another one stands in when the key's taker has no worker any more"));
    }

    [Fact]
    public async Task A_taker_that_is_idle_gets_a_caller_who_waits_for_room_that_others_fill()
    {
        var queue = new InvocationQueue(1, WhenFull.Wait, null, _time, new TestErrors());
        Taker[] takers = [new(queue), new(queue)];
        takers.ToList().ForEach(queue.Register);
        var keyed = Some.Call(affinityKey: "k");
        await queue.PutAsync(keyed);
        var owner = takers.Single(taker => taker.Own.Count == 1);
        var other = takers.Single(taker => taker != owner);
        var waiting = Some.Call();
        var second = Some.Call();
        _ = queue.PutAsync(waiting);
        _ = queue.PutAsync(second);
        Assert.Same(waiting, await other.TakeAsync().AsTask().Within("the caller is served though the queue is full"));
        Assert.Same(second, await other.TakeAsync().AsTask().Within("so is the next"));
        var idle = other.TakeAsync().AsTask();
        var third = Some.Call();
        await queue.PutAsync(third).Within("a call for an idle taker needs no room");
        Assert.Same(third, await idle.Within("it is handed over"));
        Assert.Same(keyed, await owner.TakeAsync());
    }

    [Fact]
    public async Task A_drain_waits_for_calls_that_are_set_apart_for_a_busy_taker()
    {
        var queue = new InvocationQueue(100, WhenFull.Wait, null, _time, new TestErrors());
        Taker[] takers = [new(queue), new(queue)];
        takers.ToList().ForEach(queue.Register);
        var call = Some.Call(affinityKey: "k");
        await queue.PutAsync(call);
        var owner = takers.Single(taker => taker.Own.Count == 1);
        var idle = takers.Single(taker => taker != owner).TakeAsync();
        queue.Drain(Refuse);
        Assert.False(idle.IsCompleted || queue.IsDrained, "Expected the drain to wait.");
        Assert.Same(call, await owner.TakeAsync());
        Assert.Null(await idle.AsTask().Within("nothing is left"));
        Assert.True(queue.IsDrained);
    }

    [Fact]
    public async Task A_slot_that_is_woken_takes_no_call_with_it()
    {
        var take = _taker.TakeAsync();
        _taker.Wake();
        Assert.Null(await take.AsTask().Within("the slot is woken"));
        var call = Some.Call();
        await _queue.PutAsync(call);
        Assert.Same(call, await _taker.TakeAsync());
    }

    [Fact]
    public async Task A_slot_that_was_woken_before_it_waits_does_not_wait()
    {
        _taker.Wake();
        Assert.Null(await _taker.TakeAsync().AsTask().Within("the slot does not wait"));
        Assert.False(_taker.TakeAsync().AsTask().IsCompleted);
    }

    [Fact]
    public async Task Higher_priorities_go_first_and_within_one_the_first_goes_first()
    {
        var queue = NewQueue(capacity: 3);
        Invocation[] calls = [.. new[] { CallPriority.Low, CallPriority.Normal, CallPriority.High, CallPriority.Normal, CallPriority.High }.Select(priority => Some.Call(priority: priority))];
        var puts = calls.Select(queue.PutAsync).ToList();
        var taker = new Taker(queue);
        foreach (var expected in new[] { 2, 4, 1, 3, 0 })
        {
            Assert.Same(calls[expected], await taker.TakeAsync());
        }

        await Task.WhenAll(puts).Within("callers get their room, the high one first");
    }

    [Fact]
    public async Task A_full_queue_that_does_not_wait_refuses_and_says_how_full_it_is()
    {
        var queue = NewQueue(whenFull: WhenFull.Reject);
        await queue.PutAsync(Some.Call());
        _time.Advance(TimeSpan.FromSeconds(3));
        await queue.PutAsync(Some.Call());
        var refused = Some.Call();
        await queue.PutAsync(refused);
        Assert.Equal("full: 2 calls, 3 s", (await Assert.ThrowsAsync<TestException>(() => refused.Settled)).Message);
    }

    [Fact]
    public async Task A_call_put_back_that_was_cancelled_meanwhile_is_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        var call = Some.Call(token: cancel.Token);
        await _queue.PutAsync(call);
        await _taker.TakeAsync();
        await cancel.CancelAsync();
        _queue.PutBack(call);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Settled.Within("the call is cancelled"));
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task A_suspended_queue_can_be_opened_again()
    {
        var take = _taker.TakeAsync();
        _queue.Suspend(Refuse);
        Assert.False(_queue.IsDrained);
        var refused = Some.Call();
        await _queue.PutAsync(refused);
        await Assert.ThrowsAsync<CallRejectedException>(() => refused.Settled);
        _queue.Reopen();
        var call = Some.Call();
        await _queue.PutAsync(call);
        Assert.Same(call, await take.AsTask().Within("the slot that waited all the time gets it"));
    }

    [Fact]
    public async Task A_withdrawn_call_leaves_at_once_and_makes_room()
    {
        Invocation[] calls = [Some.Call(), Some.Call(), Some.Call(), Some.Call()];
        var puts = calls.Select(_queue.PutAsync).ToList();
        _queue.Withdraw(calls[3]);
        await puts[3].Within("a caller that waits for room is released");
        _queue.Withdraw(calls[0]);
        await puts[2].Within("the next caller gets the room");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => calls[0].Settled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => calls[3].Settled);
        Assert.Same(calls[1], await _taker.TakeAsync());
        Assert.Same(calls[2], await _taker.TakeAsync());
    }

    [Fact]
    public async Task A_call_that_was_handed_out_cannot_be_withdrawn()
    {
        var call = Some.Call();
        await _queue.PutAsync(call);
        await _taker.TakeAsync();
        _queue.Withdraw(call);
        Assert.False(call.Settled.IsCompleted);
    }

    [Fact]
    public async Task Calls_that_are_put_back_come_in_their_order_whatever_order_they_are_put_back_in()
    {
        var queue = NewQueue(capacity: 10);
        var taker = new Taker(queue);
        var calls = Enumerable.Range(0, 5).Select(_ => Some.Call()).ToList();
        foreach (var call in calls)
        {
            await queue.PutAsync(call);
        }

        foreach (var call in calls.Take(4).ToList())
        {
            Assert.Same(call, await taker.TakeAsync());
        }

        foreach (var call in new[] { calls[2], calls[0], calls[3], calls[1] })
        {
            Assert.True(queue.PutBack(call, isMoved: true));
        }

        foreach (var call in calls)
        {
            Assert.Same(call, await taker.TakeAsync());
        }
    }

    [Fact]
    public async Task A_call_put_back_is_next()
    {
        Invocation[] calls = [Some.Call(), Some.Call()];
        await _queue.PutAsync(calls[0]);
        await _queue.PutAsync(calls[1]);
        _queue.PutBack((await _taker.TakeAsync())!);
        Assert.Same(calls[0], await _taker.TakeAsync());
    }

    [Fact]
    public async Task Draining_hands_out_what_was_made_before_and_refuses_what_comes_after()
    {
        Invocation[] calls = [Some.Call(), Some.Call(), Some.Call()];
        var puts = calls.Select(_queue.PutAsync).ToList();
        _queue.Drain(Refuse);
        var late = Some.Call();
        await _queue.PutAsync(late);
        await Assert.ThrowsAsync<CallRejectedException>(() => late.Settled);
        foreach (var call in calls)
        {
            Assert.Same(call, await _taker.TakeAsync());
        }

        Assert.Null(await _taker.TakeAsync());
        Assert.All(puts, put => Assert.True(put.IsCompleted));
    }

    [Fact]
    public async Task Closing_refuses_everything_and_releases_everybody()
    {
        Invocation[] calls = [Some.Call(), Some.Call(), Some.Call()];
        var puts = calls.Select(_queue.PutAsync).ToList();
        _queue.Close(Refuse);
        await Task.WhenAll(puts).Within("callers are released");
        foreach (var call in calls)
        {
            await Assert.ThrowsAsync<CallRejectedException>(() => call.Settled);
        }

        var back = Some.Call();
        back.Assign();
        _queue.PutBack(back);
        await Assert.ThrowsAsync<CallRejectedException>(() => back.Settled);
        Assert.Null(await _taker.TakeAsync());
    }

    [Fact]
    public async Task Under_contention_every_call_is_taken_once()
    {
        const int Count = 20_000;
        var queue = NewQueue(capacity: 16);
        var taken = new System.Collections.Concurrent.ConcurrentBag<long>();
        var takers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var taker = new Taker(queue);
            while (await taker.TakeAsync() is { } call)
            {
                taken.Add(call.Request.Id);
            }
        })).ToList();
        var calls = Enumerable.Range(0, Count).Select(_ => Some.Call()).ToList();
        await Parallel.ForEachAsync(calls, async (call, _) => await queue.PutAsync(call));
        queue.Drain(Refuse);
        await Task.WhenAll(takers).Within("the takers end");
        Assert.Equal(calls.Select(call => call.Request.Id).Order(), taken.Order());
    }

    private InvocationQueue NewQueue(int capacity = 2, WhenFull whenFull = WhenFull.Wait, TimeSpan? timeout = null) => new(capacity, whenFull, timeout, _time, new TestErrors());

    private static CallRejectedException Refuse(Invocation call) => new(RejectionReason.Stopped, new FaultSite("p"));

    internal sealed class TestException(string message) : Exception(message);

    internal sealed class TestErrors : IQueueErrors
    {
        public Exception Full(Invocation call, QueueStatus status) => new TestException($"full: {Describe(status)}");

        public Exception TimedOut(Invocation call, TimeSpan timeout, QueueStatus status) => new TestException($"timed out: {Describe(status)}");

        private static string Describe(QueueStatus status) => $"{status.Length} calls, {status.OldestAge.TotalSeconds} s";
    }
}
