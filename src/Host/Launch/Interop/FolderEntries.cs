using System.Runtime.InteropServices;

namespace ProcessPool.Launch.Interop;

/// <summary>The names in a block that getdents64(2) has filled, each with the zero that ends it.</summary>
/// <param name="block">What it has filled.</param>
internal ref struct FolderEntries(ReadOnlySpan<byte> block)
{
    private const int LengthOffset = 16;
    private const int NameOffset = 19;

    private ReadOnlySpan<byte> _rest = block;

    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly FolderEntries GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_rest.Length > NameOffset)
        {
            var length = MemoryMarshal.Read<ushort>(_rest[LengthOffset..]);
            var name = _rest[NameOffset..length];
            Current = name[..(name.IndexOf((byte)0) + 1)];
            _rest = _rest[length..];

            // Itself, and the folder around it.
            if (!Current.SequenceEqual(".\0"u8) && !Current.SequenceEqual("..\0"u8))
            {
                return true;
            }
        }

        return false;
    }
}
