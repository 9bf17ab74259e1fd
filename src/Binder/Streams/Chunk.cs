using System.Buffers;
using ProcessPool.Binding.Payload;

namespace ProcessPool.Binding.Streams;

/// <summary>Some items as a JSON array, and the bytes it refers to.</summary>
internal sealed class Chunk
{
    private readonly List<ReadOnlyMemory<byte>> _attachments = [];
    private readonly ArrayBufferWriter<byte> _item = new();
    private byte[] _json = new byte[256];
    private int _length = 1;
    private long _attached;

    public Chunk() => _json[0] = (byte)'[';

    public int Count { get; private set; }

    /// <summary>Adds an item, unless the chunk would get larger than that by it. The first one is always added.</summary>
    public bool TryAdd<T>(T item, PayloadJson json, int maxBytes)
    {
        var before = _attachments.Count;
        _item.ResetWrittenCount();
        try
        {
            json.Write(_item, item, typeof(T), _attachments);
        }
        catch
        {
            _attachments.RemoveRange(before, _attachments.Count - before);
            throw;
        }

        var attached = 0L;
        for (var i = before; i < _attachments.Count; i++)
        {
            attached += _attachments[i].Length;
        }

        if (Count > 0 && _length + _attached + _item.WrittenCount + attached > maxBytes)
        {
            _attachments.RemoveRange(before, _attachments.Count - before);
            return false;
        }

        _attached += attached;
        if (Count++ > 0)
        {
            Append(","u8);
        }

        Append(_item.WrittenSpan);
        return true;
    }

    public (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error) ToReply(int status)
    {
        Append("]"u8);
        return (status, _json.AsMemory(0, _length), [.. _attachments], null);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > _json.Length)
        {
            Array.Resize(ref _json, Math.Max(_json.Length * 2, _length + bytes.Length));
        }

        bytes.CopyTo(_json.AsSpan(_length));
        _length += bytes.Length;
    }
}
