using System.Threading.Channels;
using ProcessPool.Protocol;

namespace ProcessPool.Calls;

/// <summary>The items of a call whose result is a stream, between the worker that makes them and whoever reads them: at most two chunks wait.</summary>
internal sealed class CallStream
{
    private const int Ahead = 2;

    private readonly Channel<CallReply> _chunks = Channel.CreateBounded<CallReply>(new BoundedChannelOptions(Ahead) { SingleReader = true, SingleWriter = true });

    /// <summary>The chunks, until the call is settled.</summary>
    public IAsyncEnumerable<CallReply> Chunks => _chunks.Reader.ReadAllAsync(CancellationToken.None);

    /// <summary>Adds one; there is room, because it was waited for.</summary>
    public void Add(CallReply chunk) => _chunks.Writer.TryWrite(chunk);

    /// <summary>Ends when there is room for another chunk.</summary>
    public Task WaitForRoomAsync(CancellationToken cancellationToken) => _chunks.Writer.WaitToWriteAsync(cancellationToken).AsTask();

    /// <summary>The call is settled.</summary>
    public void Complete() => _chunks.Writer.TryComplete();
}
