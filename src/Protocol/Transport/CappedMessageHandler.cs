using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Protocol.Transport;

/// <summary>
/// Length-header framing that refuses a frame above the cap when its length has arrived, before its body is buffered, and requests that
/// its gate does not let in: the library would start each one without waiting for those before. The stream stays open when the connection
/// ends, so that its owner, not a message, decides what the other side sees of that.
/// </summary>
internal sealed class CappedMessageHandler(Stream stream, IJsonRpcMessageFormatter formatter, int maxMessageBytes, RequestGate? gate)
    : LengthHeaderMessageHandler(
        PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)),
        PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: BufferBytes, leaveOpen: true)),
        formatter)
{
    private const int BufferBytes = 64 * 1024;

    protected override async ValueTask<JsonRpcMessage?> ReadCoreAsync(CancellationToken cancellationToken)
    {
        var header = (await ReadAtLeastAsync(sizeof(int), allowEmpty: true, cancellationToken).ConfigureAwait(false)).Buffer;
        if (header.Length >= sizeof(int))
        {
            var length = ReadLength(header);
            if (length < 0 || length > maxMessageBytes)
            {
                throw new FrameTooLargeException(length, maxMessageBytes);
            }
        }

        // Hand everything back unread: the base class reads the header again.
        Reader!.AdvanceTo(header.Start);
        var message = await base.ReadCoreAsync(cancellationToken).ConfigureAwait(false);
        if (message is JsonRpcRequest request)
        {
            gate?.Enter(request.Method);
        }

        return message;
    }

    // One message after the other: whoever is here has seen those before it sent.
    protected override void Write(JsonRpcMessage content, CancellationToken cancellationToken)
    {
        base.Write(content, cancellationToken);
        if (content is JsonRpcResult or JsonRpcError)
        {
            gate?.Leave();
        }
    }

    private static int ReadLength(ReadOnlySequence<byte> header)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        header.Slice(0, sizeof(int)).CopyTo(bytes);
        return BinaryPrimitives.ReadInt32BigEndian(bytes);
    }
}

/// <summary>A frame announced more bytes than are allowed.</summary>
internal sealed class FrameTooLargeException(int length, int cap)
    : IOException($"A message of {(uint)length} bytes was announced; at most {cap} are allowed.");
