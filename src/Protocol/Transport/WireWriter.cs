using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Protocol.Transport;

/// <summary>Bytes being written, in a buffer that is used again. Little-endian; what has a length is preceded by it. Not thread-safe.</summary>
internal sealed class WireWriter
{
    /// <summary>A buffer that grew beyond this is not kept.</summary>
    private const int KeptBytes = 1024 * 1024;

    private byte[] _buffer = new byte[1024];
    private int _length;

    /// <summary>What was written. Valid until the next write.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    /// <summary>Begins again.</summary>
    public void Clear()
    {
        _length = 0;
        if (_buffer.Length > KeptBytes)
        {
            _buffer = new byte[1024];
        }
    }

    /// <summary>Room of a fixed size, to be filled by the caller: now, or before anything else is written.</summary>
    public Span<byte> Take(int bytes)
    {
        if (_buffer.Length - _length < bytes)
        {
            System.Array.Resize(ref _buffer, (int)Math.Min(System.Array.MaxLength, Math.Max((long)_buffer.Length * 2, (long)_length + bytes)));
        }

        var span = _buffer.AsSpan(_length, bytes);
        _length += bytes;
        return span;
    }

    /// <summary>A frame with one message, after what was written before.</summary>
    public void AddFrame(JsonRpcMessage message)
    {
        var begin = BeginFrame();
        WireFormatter.Write(this, message);
        EndFrame(begin);
    }

    /// <summary>Begins a frame; what is written until <see cref="EndFrame"/> is in it.</summary>
    public int BeginFrame()
    {
        Take(sizeof(int));
        return _length;
    }

    public void EndFrame(int begin) => BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(begin - sizeof(int)), _length - begin);

    public void Byte(byte value) => Take(1)[0] = value;

    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void Int32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(sizeof(int)), value);

    public void Int64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(sizeof(long)), value);

    public void String(string value)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        Int32(bytes);
        Encoding.UTF8.GetBytes(value, Take(bytes));
    }

    public void Bytes(ReadOnlyMemory<byte> value)
    {
        Int32(value.Length);
        value.Span.CopyTo(Take(value.Length));
    }

    /// <summary>Numbers as they are in memory: little-endian, on every machine that .NET runs on.</summary>
    public void Array<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        Int32(values.Length);
        var bytes = MemoryMarshal.AsBytes(values);
        bytes.CopyTo(Take(bytes.Length));
    }

    public void Attachments(ReadOnlyMemory<byte>[]? attachments) => List(attachments, (writer, attachment) => writer.Bytes(attachment));

    /// <summary>Each item by <paramref name="write"/>; null is no list at all.</summary>
    public void List<T>(IReadOnlyCollection<T>? items, Action<WireWriter, T> write)
    {
        Int32(items?.Count ?? -1);
        foreach (var item in items ?? [])
        {
            write(this, item);
        }
    }

    /// <summary>A value that may be missing.</summary>
    public void Optional<T>(T? value, Action<WireWriter, T> write)
        where T : class
    {
        Bool(value is not null);
        if (value is not null)
        {
            write(this, value);
        }
    }
}
