using Microsoft.Extensions.Time.Testing;
using ProcessPool.Scheduling;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>How long a call may wait in the queue, and what counts as waiting.</summary>
public sealed class QueueTimeoutTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Time_on_a_worker_does_not_count_as_waiting()
    {
        var queue = new InvocationQueue(2, WhenFull.Wait, TimeSpan.FromSeconds(5), _time, new InvocationQueueTests.TestErrors());
        var taker = new Taker(queue);
        var call = Some.Call();
        var take = taker.TakeAsync();
        await queue.PutAsync(call);
        await take;
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(queue.PutBack(call));
        var younger = Some.Call();
        await queue.PutAsync(younger);
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(call.Settled.IsCompleted, "Expected the call that was put back to have its time.");
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<InvocationQueueTests.TestException>(() => call.Settled.Within("its time is up"));
        await Assert.ThrowsAsync<InvocationQueueTests.TestException>(() => younger.Settled.Within("so is that of the other"));
    }

    [Fact]
    public async Task Who_waits_too_long_for_a_worker_or_for_room_fails_at_his_time()
    {
        var queue = NewQueue(capacity: 1, timeout: TimeSpan.FromSeconds(10));
        var first = Some.Call();
        await queue.PutAsync(first);
        _time.Advance(TimeSpan.FromSeconds(4));
        var second = Some.Call();
        var room = queue.PutAsync(second);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("timed out: 2 calls, 10 s", (await Assert.ThrowsAsync<InvocationQueueTests.TestException>(() => first.Settled.Within("the first call fails"))).Message);
        await room.Within("the second call has room");
        Assert.False(second.Settled.IsCompleted, "Expected the second call to have its own time.");
        _time.Advance(TimeSpan.FromSeconds(4));
        await Assert.ThrowsAsync<InvocationQueueTests.TestException>(() => second.Settled.Within("the second call fails"));
        var third = Some.Call();
        await queue.PutAsync(third);
        Assert.Same(third, await new Taker(queue).TakeAsync());
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.False(third.Settled.IsCompleted, "Expected a call that was handed out not to time out in the queue.");
    }

    [Fact]
    public async Task Items_of_a_map_wait_as_long_as_it_takes_and_the_others_fail_at_their_time()
    {
        var queue = NewQueue(capacity: 2, timeout: TimeSpan.FromSeconds(10));
        Invocation[] items = [Item(), Item(), Item()];
        foreach (var item in items[..2])
        {
            await queue.PutAsync(item);
        }

        var room = queue.PutAsync(items[2]);
        _time.Advance(TimeSpan.FromSeconds(4));
        var call = Some.Call();
        _ = queue.PutAsync(call);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(call.Settled.IsCompleted, "Expected the call to have its own time.");
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<InvocationQueueTests.TestException>(() => call.Settled.Within("the call fails"));
        _time.Advance(TimeSpan.FromHours(1));
        var taker = new Taker(queue);
        foreach (var item in items)
        {
            Assert.Same(item, await taker.TakeAsync().AsTask().Within("the item is still there"));
        }

        await room.Within("the last one has room");

        static Invocation Item() => new(Some.Call().Request, default, new CallOptions { IsOfMap = true }, callbacks: null, CancellationToken.None);
    }

    [Fact]
    public async Task A_call_put_back_fails_at_its_time_though_a_younger_one_waits()
    {
        var queue = NewQueue(capacity: 2, timeout: TimeSpan.FromSeconds(10));
        var first = Some.Call();
        await queue.PutAsync(first);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Same(first, await new Taker(queue).TakeAsync());
        _time.Advance(TimeSpan.FromSeconds(4));
        var younger = Some.Call();
        await queue.PutAsync(younger);
        Assert.True(queue.PutBack(first));
        _time.Advance(TimeSpan.FromSeconds(4));
        await Assert.ThrowsAsync<InvocationQueueTests.TestException>(() => first.Settled.Within("it has waited for six seconds and for four"));
        Assert.False(younger.Settled.IsCompleted, "Expected the younger call to have its own time.");
    }

    [Fact]
    public async Task For_a_call_that_was_moved_the_time_it_stood_behind_another_one_counts_as_waiting()
    {
        var queue = NewQueue(capacity: 2, timeout: TimeSpan.FromSeconds(10));
        var call = Some.Call();
        await queue.PutAsync(call);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Same(call, await new Taker(queue).TakeAsync());
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.True(queue.PutBack(call, isMoved: true));
        Assert.Equal(0, call.TakenAt);
        Assert.False(call.Settled.IsCompleted, "Expected it to have its time.");
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<InvocationQueueTests.TestException>(() => call.Settled.Within("it has waited for ten seconds"));
    }

    [Fact]
    public async Task Calls_that_were_set_apart_for_a_taker_come_at_their_time_when_they_are_everybodys()
    {
        var queue = new InvocationQueue(10, WhenFull.Wait, TimeSpan.FromSeconds(10), _time, new InvocationQueueTests.TestErrors());
        var taker = new Taker(queue);
        queue.Register(taker);
        var keyed = Some.Call(affinityKey: "k");
        await queue.PutAsync(keyed);
        _time.Advance(TimeSpan.FromSeconds(9));
        var plain = Some.Call();
        await queue.PutAsync(plain);
        queue.SetActive(taker, false);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<InvocationQueueTests.TestException>(() => keyed.Settled.Within("it has waited for ten seconds"));
        Assert.Same(plain, await taker.TakeAsync());
    }

    private InvocationQueue NewQueue(int capacity, TimeSpan timeout) => new(capacity, WhenFull.Wait, timeout, _time, new InvocationQueueTests.TestErrors());
}
