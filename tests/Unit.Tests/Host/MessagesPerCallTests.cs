using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Scheduling;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>What a call costs, counted in messages: a guard against changes that make it cost more.</summary>
public sealed class MessagesPerCallTests
{
    [Fact]
    public async Task A_call_by_itself_is_one_write_and_one_read()
    {
        var writes = 0;
        var channel = new RequestChannel(
            _ =>
            {
                writes++;
                return default;
            },
            (_, _) => throw new InvalidOperationException(),
            gate: null,
            continuesInline: true);
        var reply = channel.RequestAsync("InvokeAsync", Some.Call().Request);
        var answer = new WireWriter();
        var frame = answer.BeginFrame();
        WireFormatter.WritePlainReply(answer, 1, "7"u8);
        answer.EndFrame(frame);
        var buffer = new FrameBuffer(1024);
        answer.Written.CopyTo(buffer.Room());
        buffer.Added(answer.Written.Length);
        channel.Receive(buffer);
        Assert.Equal("7"u8.ToArray(), Assert.IsType<CallReply>(await reply.Within("the reply arrives")).Payload.ToArray());
        Assert.Equal(1, writes);
        Assert.True(buffer.IsEmpty);
    }

    [Fact]
    public async Task A_thousand_short_calls_that_wait_are_ten_messages()
    {
        var go = new TaskCompletionSource();
        var worker = new FakeWorker("w")
        {
            OnInvoke = async (_, _) =>
            {
                await go.Task;
                return Some.Reply;
            },
        };
        var rig = await new PoolRig(_ => worker, options => options.QueueCapacity = 2_000).StartedAsync();
        var calls = new List<Invocation>();
        for (var i = 0; i < 1_023; i++)
        {
            calls.Add(await rig.PutAsync());
        }

        go.SetResult();
        await Task.WhenAll(calls.Select(call => call.Settled)).Within("the calls settle");
        Assert.Equal([2, 4, 8, 16, 32, 64, 128, 256, 512], worker.Chunks);
        await rig.StopAsync();
    }
}
