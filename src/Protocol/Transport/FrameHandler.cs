using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Protocol.Transport;

/// <summary>
/// StreamJsonRpc's messages as frames on a duplex stream. Requests that the gate does not let in are refused: the library would start each one without waiting
/// for those before. The stream stays open when the connection ends, so that its owner, not a message, decides what the other side sees of that.
/// </summary>
internal sealed class FrameHandler(Stream stream, int maxMessageBytes, RequestGate? gate) : IJsonRpcMessageHandler
{
    private readonly FrameSender _sender = FrameSender.To(stream);
    private readonly FrameBuffer _buffer = new(maxMessageBytes);

    public bool CanRead => true;

    public bool CanWrite => true;

    public IJsonRpcMessageFormatter Formatter { get; } = new WireFormatter();

    /// <summary>The next message; null at the end. The library asks for one after the other.</summary>
    public async ValueTask<JsonRpcMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_buffer.TryTake(out var frame))
            {
                var message = WireFormatter.Read(frame);
                if (message is JsonRpcRequest request)
                {
                    gate?.Enter(request.Method);
                }

                return message;
            }

            var count = await stream.ReadAsync(_buffer.Room(), cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                return _buffer.IsEmpty ? null : throw new EndOfStreamException("The connection ended in the middle of a message.");
            }

            _buffer.Added(count);
        }
    }

    public async ValueTask WriteAsync(JsonRpcMessage content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // A message that was begun is finished, or the connection is over.
        await _sender.SendAsync(content).ConfigureAwait(false);
        if (content is JsonRpcResult or JsonRpcError)
        {
            gate?.Leave();
        }
    }
}
