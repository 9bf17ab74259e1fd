using System.Buffers.Binary;
using Nerdbank.Streams;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Protocol;

public sealed class FrameHandlerTests
{
    private const int Cap = 64 * 1024;

    private readonly Stream _ours;
    private readonly Stream _theirs;

    public FrameHandlerTests() => (_ours, _theirs) = FullDuplexStream.CreatePair();

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(Cap + 1)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public async Task A_frame_above_the_cap_ends_the_connection_when_its_length_has_arrived(int length)
    {
        using var rpc = RpcChannel.Create(_ours, "test", Cap);
        rpc.StartListening();
        var header = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(header, length);
        await _theirs.WriteAsync(header);
        await _theirs.FlushAsync();
        await Assert.ThrowsAsync<FrameTooLargeException>(() => rpc.Completion.Within("the connection ends"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000)]
    public async Task Garbage_within_the_cap_ends_the_connection(int length)
    {
        using var rpc = RpcChannel.Create(_ours, "test", Cap);
        rpc.StartListening();
        var frame = new byte[sizeof(int) + length];
        BinaryPrimitives.WriteInt32BigEndian(frame, length);
        new Random(1).NextBytes(frame.AsSpan(sizeof(int)));
        await _theirs.WriteAsync(frame);
        await _theirs.FlushAsync();
        await rpc.Completion.ContinueWith(_ => { }, TaskScheduler.Default).Within("the connection ends");
        Assert.True(rpc.IsDisposed || rpc.Completion.IsCompleted);
    }

    [Fact]
    public async Task Messages_up_to_the_cap_pass_with_attachments_and_errors()
    {
        using var client = RpcChannel.Create(_ours, "client", Cap);
        using var server = RpcChannel.Create(_theirs, "server", Cap);
        server.AddLocalRpcTarget<ISandboxCalls>(new Echo(), null);
        server.StartListening();
        var calls = client.Attach<ISandboxCalls>();
        client.StartListening();
        var bytes = new byte[Cap - WireLimits.EnvelopeBytes];
        bytes[^1] = 7;
        var reply = await calls.InvokeAsync(new CallRequest(5, "name", "[1]"u8.ToArray(), [bytes])).Within("a reply");
        Assert.Equal((CallStatus.PluginThrew, "inner"), (reply.Status, reply.Error!.Inner!.Message));
        Assert.Equal((7, 3), (reply.Attachments[0].Span[^1], reply.Payload.Length));
    }

    private sealed class Echo : ISandboxCalls
    {
        public Task<CallReply> InvokeAsync(CallRequest request) => Task.FromResult(new CallReply(
            CallStatus.PluginThrew, request.Payload, request.Attachments, new RemoteError("T", "m", "s", new RemoteError("T", "inner", "s", null))));

        public Task InvokeManyAsync(CallChunk chunk) => Task.CompletedTask;

        public Task<CallReply> NextAsync(long callId) => InvokeAsync(new CallRequest(callId, "next", "[1]"u8.ToArray(), []));

        public Task<CallReply> EndAsync(long callId) => NextAsync(callId);
    }
}
