using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace ProcessPool.Protocol.Transport;

/// <summary>Reads what <see cref="WireWriter"/> wrote. The bytes are hostile: every length is checked before anything is made of it.</summary>
/// <param name="bytes">All of them.</param>
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public delegate T Read<T>(ref WireReader reader);

    /// <summary>How many bytes are left.</summary>
    public readonly int Left => _rest.Length;

    /// <exception cref="InvalidDataException">There are fewer.</exception>
    public ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)_rest.Length)
        {
            throw new InvalidDataException($"A message ends {(uint)count - _rest.Length} bytes too early.");
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    public byte Byte() => Take(1)[0];

    public bool Bool() => Byte() switch
    {
        0 => false,
        1 => true,
        var other => throw new InvalidDataException($"A message has {other} where yes or no is expected."),
    };

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    public string String() => Encoding.UTF8.GetString(Take(Int32()));

    /// <summary>A copy: the buffer is used again.</summary>
    public ReadOnlyMemory<byte> Bytes() => Take(Int32()).ToArray();

    /// <exception cref="InvalidDataException">There are fewer bytes than announced.</exception>
    public T[] Array<T>()
        where T : unmanaged
    {
        var count = Int32();
        return (uint)count <= (uint)(_rest.Length / Unsafe.SizeOf<T>())
            ? MemoryMarshal.Cast<byte, T>(Take(count * Unsafe.SizeOf<T>())).ToArray()
            : throw new InvalidDataException($"A message announces {count} numbers in {_rest.Length} bytes.");
    }

    public ReadOnlyMemory<byte>[] Attachments() => List((ref WireReader reader) => reader.Bytes());

    /// <param name="read">Reads an item, which takes at least a byte.</param>
    /// <param name="most">How many there may be.</param>
    /// <exception cref="InvalidDataException">There are fewer bytes than items, or more items than there may be, or there is no list.</exception>
    public T[] List<T>(Read<T> read, int most = int.MaxValue)
    {
        var count = Int32();
        if (count > most)
        {
            throw new InvalidDataException($"A message announces {count} items where there are {most} at most.");
        }

        if ((uint)count > (uint)_rest.Length)
        {
            throw new InvalidDataException(count < 0 ? "A message lacks a list." : $"A message announces {count} items in {_rest.Length} bytes.");
        }

        if (count == 0)
        {
            return [];
        }

        // Grown as they come: the room that is announced is not the room that is there.
        var items = count <= 64 ? new T[count] : new T[64];
        for (var i = 0; i < count; i++)
        {
            if (i == items.Length)
            {
                System.Array.Resize(ref items, Math.Min(count, items.Length * 2));
            }

            items[i] = read(ref this);
        }

        return items;
    }

    public T? Optional<T>(Read<T> read)
        where T : class => Bool() ? read(ref this) : null;
}
