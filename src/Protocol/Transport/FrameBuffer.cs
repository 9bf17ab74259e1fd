using System.Buffers.Binary;

namespace ProcessPool.Protocol.Transport;

/// <summary>
/// Bytes that were read and are not used yet, cut into frames: four bytes of length, big-endian, and a message. A frame above the cap is refused when its length
/// has arrived, before its body is buffered.
/// </summary>
internal sealed class FrameBuffer(int maxMessageBytes)
{
    /// <summary>A buffer that grew beyond this is not kept.</summary>
    private const int KeptBytes = 1024 * 1024;

    private const int FirstBytes = 4 * 1024;

    private byte[] _bytes = new byte[FirstBytes];
    private int _begin;
    private int _end;

    /// <summary>Whether a frame was begun.</summary>
    public bool IsEmpty => _begin == _end;

    /// <summary>The next whole frame. Valid until <see cref="Room"/> is asked for.</summary>
    /// <exception cref="FrameTooLargeException">Its length is above the cap.</exception>
    public bool TryTake(out ReadOnlySpan<byte> frame)
    {
        frame = default;
        var available = _bytes.AsSpan(_begin, _end - _begin);
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

    /// <summary>Where to read to; then <see cref="Added"/>. Grows by what has arrived, not by what was announced.</summary>
    public Memory<byte> Room()
    {
        var used = _end - _begin;
        var size = used == 0 && _bytes.Length > KeptBytes ? FirstBytes : used > _bytes.Length / 2 ? (int)Math.Min(Array.MaxLength, _bytes.Length * 2L) : _bytes.Length;
        var bytes = size == _bytes.Length ? _bytes : new byte[size];
        if (_begin > 0 || bytes != _bytes)
        {
            Buffer.BlockCopy(_bytes, _begin, bytes, 0, used);
        }

        (_bytes, _begin, _end) = (bytes, 0, used);
        return _bytes.AsMemory(_end);
    }

    public void Added(int count) => _end += count;
}

/// <summary>A frame announced more bytes than are allowed.</summary>
internal sealed class FrameTooLargeException(int length, int cap)
    : IOException($"A message of {(uint)length} bytes was announced; at most {cap} are allowed.");
