using System.Runtime.InteropServices;

namespace ProcessPool.Launch.Interop;

/// <summary>What statx(2) tells of a file, the same on every architecture: type, owner, identity, size and space.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal readonly struct FileStatus
{
    /// <summary>The mask that asks for these.</summary>
    public const uint Mask = 0x1 | 0x8 | 0x100 | 0x200 | 0x400;

    private const int TypeMask = 0xF000;
    private const int FolderType = 0x4000;
    private const int CharacterDeviceType = 0x2000;
    private const ulong BlockBytes = 512;

    [FieldOffset(20)]
    private readonly uint _owner;

    [FieldOffset(28)]
    private readonly ushort _mode;

    [FieldOffset(32)]
    private readonly ulong _number;

    [FieldOffset(40)]
    private readonly ulong _size;

    [FieldOffset(48)]
    private readonly ulong _blocks;

    [FieldOffset(136)]
    private readonly uint _deviceMajor;

    [FieldOffset(140)]
    private readonly uint _deviceMinor;

    public uint Owner => _owner;

    /// <summary>Whether both are of one file.</summary>
    public bool IsSameAs(FileStatus other) => (_number, _deviceMajor, _deviceMinor) == (other._number, other._deviceMajor, other._deviceMinor);

    /// <summary>Such as <c>/dev/null</c>.</summary>
    public bool IsCharacterDevice => (_mode & TypeMask) == CharacterDeviceType;

    public bool IsFolder => (_mode & TypeMask) == FolderType;

    /// <summary>What it takes of the disk, or what it says that it holds where that is more: space can be reserved beyond a file's end, and a file can have holes. A folder's size says nothing.</summary>
    public long Bytes => (long)Math.Min(long.MaxValue, Math.Max(IsFolder ? 0 : _size, _blocks > ulong.MaxValue / BlockBytes ? ulong.MaxValue : _blocks * BlockBytes));
}
