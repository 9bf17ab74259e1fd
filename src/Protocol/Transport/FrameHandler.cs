using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Protocol.Transport;

/// <summary>
/// Frames on a duplex stream: four bytes of length, big-endian, and a message. A frame above the cap is refused when its length has arrived, before its body is
/// buffered, and so are requests that the gate does not let in: the library would start each one without waiting for those before. The stream stays open
/// when the connection ends, so that its owner, not a message, decides what the other side sees of that.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle.")]
internal sealed class FrameHandler(Stream stream, int maxMessageBytes, RequestGate? gate) : IJsonRpcMessageHandler
{
    /// <summary>A reading buffer that grew beyond this is not kept.</summary>
    private const int KeptBytes = 64 * 1024;

    private const int FirstBytes = 4 * 1024;

    private readonly WireFormatter _formatter = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly WireWriter _writer = new();
    private byte[] _buffer = new byte[FirstBytes];
    private int _begin;
    private int _end;

    public bool CanRead => true;

    public bool CanWrite => true;

    public IJsonRpcMessageFormatter Formatter => _formatter;

    /// <summary>The next message; null at the end. The library asks for one after the other.</summary>
    public async ValueTask<JsonRpcMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TakeFrame(out var frame))
            {
                var message = WireFormatter.Read(frame);
                if (message is JsonRpcRequest request)
                {
                    gate?.Enter(request.Method);
                }

                return message;
            }

            MakeRoom();
            var count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                return _begin == _end ? null : throw new EndOfStreamException("The connection ended in the middle of a message.");
            }

            _end += count;
        }
    }

    public async ValueTask WriteAsync(JsonRpcMessage content, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _writer.Clear();
            _writer.Take(sizeof(int));
            WireFormatter.Write(_writer, content);
            _writer.PatchFrameLength(0, _writer.Length - sizeof(int));

            // A message that was begun is finished, or the connection is over.
            await stream.WriteAsync(_writer.Written, CancellationToken.None).ConfigureAwait(false);
            await stream.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }

        if (content is JsonRpcResult or JsonRpcError)
        {
            gate?.Leave();
        }
    }

    private bool TakeFrame(out ReadOnlySpan<byte> frame)
    {
        frame = default;
        var available = _buffer.AsSpan(_begin, _end - _begin);
        if (available.Length < sizeof(int))
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(available);
        if (length < 0 || length > maxMessageBytes)
        {
            throw new FrameTooLargeException(length, maxMessageBytes);
        }

        if (available.Length - sizeof(int) < length)
        {
            return false;
        }

        frame = available.Slice(sizeof(int), length);
        _begin += sizeof(int) + length;
        return true;
    }

    // Grows by what has arrived, not by what was announced.
    private void MakeRoom()
    {
        var used = _end - _begin;
        var size = used == 0 && _buffer.Length > KeptBytes ? FirstBytes : used > _buffer.Length / 2 ? (int)Math.Min(Array.MaxLength, _buffer.Length * 2L) : _buffer.Length;
        var buffer = size == _buffer.Length ? _buffer : new byte[size];
        if (_begin > 0 || buffer != _buffer)
        {
            Buffer.BlockCopy(_buffer, _begin, buffer, 0, used);
        }

        (_buffer, _begin, _end) = (buffer, 0, used);
    }
}

/// <summary>A frame announced more bytes than are allowed.</summary>
internal sealed class FrameTooLargeException(int length, int cap)
    : IOException($"A message of {(uint)length} bytes was announced; at most {cap} are allowed.");
