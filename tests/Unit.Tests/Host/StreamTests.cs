using ProcessPool.Protocol;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>A call whose result is a stream, over a fake worker and fake time.</summary>
public sealed class StreamTests
{
    private static readonly CallReply Items = new(CallStatus.Streaming, "[1]"u8.ToArray(), [], null);

    [Fact]
    public async Task Items_are_asked_for_only_as_far_as_they_are_read()
    {
        var asked = 0;
        var worker = new FakeWorker("w") { OnInvoke = (_, _) => Task.FromResult(Items) };
        worker.OnNext = _ =>
        {
            asked++;
            return Task.FromResult(Items);
        };
        var rig = await new PoolRig(_ => worker).StartedAsync();
        using var leave = new CancellationTokenSource();
        var call = await rig.PutAsync(Some.Call(streams: true, token: leave.Token));
        var read = 0;
        await foreach (var chunk in call.Stream!.Chunks)
        {
            Assert.InRange(asked, 0, read + 2);
            if (++read == 10)
            {
                break;
            }
        }

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Settled.Within("the call settles"));
        await rig.ServeOnAsync(worker, "the worker serves the next call");
        Assert.True(worker.Ended && !worker.Killed, "Expected the stream to be ended and the worker to be kept.");
        await rig.StopAsync();
    }

    [Fact]
    public async Task The_timeout_is_for_each_step_and_a_slow_reader_does_not_count()
    {
        var worker = new FakeWorker("w") { OnInvoke = (_, _) => Task.FromResult(Items), OnNext = _ => Task.FromResult(Items) };
        var rig = await new PoolRig(number => number == 1 ? worker : PoolRig.Answering(), options => options.CallTimeout = TimeSpan.FromSeconds(7)).StartedAsync();
        var call = await rig.PutAsync(Some.Call(streams: true));
        var chunks = call.Stream!.Chunks.GetAsyncEnumerator();
        for (var i = 0; i < 5; i++)
        {
            Assert.True(await chunks.MoveNextAsync().AsTask().Within("there are items"));
            rig.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.False(call.Settled.IsCompleted, "Expected a slow reader to have all the time in the world.");
        var began = new TaskCompletionSource();
        worker.OnNext = _ =>
        {
            began.TrySetResult();
            return new TaskCompletionSource<CallReply>().Task;
        };
        while (!began.Task.IsCompleted)
        {
            await Task.WhenAny(began.Task, chunks.MoveNextAsync().AsTask());
        }

        rig.Time.Advance(TimeSpan.FromSeconds(7));
        await Assert.ThrowsAsync<CallTimeoutException>(() => call.Settled.Within("the step takes too long"));
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_worker_that_dies_while_nobody_reads_fails_the_call_then()
    {
        var worker = new FakeWorker("w") { OnInvoke = (_, _) => Task.FromResult(Items), OnNext = _ => Task.FromResult(Items) };
        var rig = await new PoolRig(number => number == 1 ? worker : PoolRig.Answering()).StartedAsync();
        var call = await rig.PutAsync(Some.Call(streams: true));
        await using var chunks = call.Stream!.Chunks.GetAsyncEnumerator();
        await chunks.MoveNextAsync().AsTask().Within("there are items");
        worker.Die(Some.Exit());
        Assert.Equal(CrashReason.Crashed, (await Assert.ThrowsAsync<WorkerCrashedException>(() => call.Settled.Within("the call fails"))).Reason);
        await rig.ServeAsync("the next call is served");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_stream_where_none_was_asked_for_costs_the_worker()
    {
        var worker = new FakeWorker("w") { OnInvoke = (_, _) => Task.FromResult(Items) };
        var rig = await new PoolRig(number => number == 1 ? worker : PoolRig.Answering()).StartedAsync();
        var call = await rig.PutAsync();
        Assert.Equal(CallStatus.Streaming, (await call.Settled.Within("the call settles")).Reply.Status);
        await worker.Exited.Within("the worker is not used again");
        await rig.StopAsync();
    }

    [Fact]
    public async Task An_idempotent_call_is_made_again_after_a_crash_as_often_as_asked()
    {
        var started = 0;
        var rig = await new PoolRig(number =>
        {
            var worker = new FakeWorker($"w{number}");
            worker.OnInvoke = (_, _) =>
            {
                started++;
                worker.Die(Some.Exit());
                return new TaskCompletionSource<CallReply>().Task;
            };
            return worker;
        }).StartedAsync();
        var call = await rig.PutAsync(Some.Call(retries: 2));
        await rig.Time.PassNextAsync(due => due >= TimeSpan.FromMilliseconds(79) && due < TimeSpan.FromSeconds(1)).Within("the second restart waits");
        await Assert.ThrowsAsync<WorkerCrashedException>(() => call.Settled.Within("the third crash is final"));
        Assert.Equal((3, 2), (started, call.Retries));
        await rig.StopAsync();
    }
}
