using ProcessPool.Scheduling;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

public sealed class InvocationQueueTests
{
    private readonly InvocationQueue _queue = new(capacity: 2);

    [Fact]
    public async Task Calls_come_out_in_the_order_they_went_in()
    {
        Invocation[] calls = [Some.Call(), Some.Call(), Some.Call(), Some.Call()];
        var puts = calls.Select(_queue.PutAsync).ToList();
        Assert.Equal([true, true, false, false], puts.Select(put => put.IsCompleted));
        foreach (var call in calls)
        {
            Assert.Same(call, await _queue.TakeAsync(CancellationToken.None));
        }

        await Task.WhenAll(puts).Within("callers get their room");
    }

    [Fact]
    public async Task A_waiting_slot_gets_a_call_without_it_being_queued()
    {
        var take = _queue.TakeAsync(CancellationToken.None);
        var call = Some.Call();
        await _queue.PutAsync(call);
        Assert.Same(call, await take.AsTask().Within("the slot gets the call"));
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task A_slot_that_gives_up_takes_no_call_with_it()
    {
        using var giveUp = new CancellationTokenSource();
        var take = _queue.TakeAsync(giveUp.Token);
        await giveUp.CancelAsync();
        Assert.Null(await take.AsTask().Within("the slot gives up"));
        var call = Some.Call();
        await _queue.PutAsync(call);
        Assert.Same(call, await _queue.TakeAsync(CancellationToken.None));
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
        Assert.Same(calls[1], await _queue.TakeAsync(CancellationToken.None));
        Assert.Same(calls[2], await _queue.TakeAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_call_that_was_handed_out_cannot_be_withdrawn()
    {
        var call = Some.Call();
        await _queue.PutAsync(call);
        await _queue.TakeAsync(CancellationToken.None);
        _queue.Withdraw(call);
        Assert.False(call.Settled.IsCompleted);
    }

    [Fact]
    public async Task A_call_put_back_is_next()
    {
        Invocation[] calls = [Some.Call(), Some.Call()];
        await _queue.PutAsync(calls[0]);
        await _queue.PutAsync(calls[1]);
        _queue.PutBack((await _queue.TakeAsync(CancellationToken.None))!);
        Assert.Same(calls[0], await _queue.TakeAsync(CancellationToken.None));
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
            Assert.Same(call, await _queue.TakeAsync(CancellationToken.None));
        }

        Assert.Null(await _queue.TakeAsync(CancellationToken.None));
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
        _queue.PutBack(back);
        await Assert.ThrowsAsync<CallRejectedException>(() => back.Settled);
        Assert.Null(await _queue.TakeAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Under_contention_every_call_is_taken_once()
    {
        const int Count = 20_000;
        var queue = new InvocationQueue(capacity: 16);
        var taken = new System.Collections.Concurrent.ConcurrentBag<long>();
        var takers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (await queue.TakeAsync(CancellationToken.None) is { } call)
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

    private static CallRejectedException Refuse(Invocation call) => new(RejectionReason.Stopped, new FaultSite("p"));
}
