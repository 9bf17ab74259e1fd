namespace ProcessPool.Confining.Linux;

/// <summary>Landlock's rights on files. Source: linux/landlock.h.</summary>
[Flags]
internal enum FileRights : ulong
{
    None = 0,
    Execute = 1 << 0,
    WriteFile = 1 << 1,
    ReadFile = 1 << 2,
    ReadFolder = 1 << 3,
    RemoveFolder = 1 << 4,
    RemoveFile = 1 << 5,
    MakeCharacterDevice = 1 << 6,
    MakeFolder = 1 << 7,
    MakeFile = 1 << 8,
    MakeSocket = 1 << 9,
    MakeFifo = 1 << 10,
    MakeBlockDevice = 1 << 11,
    MakeSymbolicLink = 1 << 12,
    Refer = 1 << 13,
    Truncate = 1 << 14,
    DeviceControl = 1 << 15,

    Read = ReadFile | ReadFolder,

    /// <summary>No links, pipes and sockets: planted in a folder, they are for the host to fall over.</summary>
    Write = Read | WriteFile | RemoveFolder | RemoveFile | MakeFolder | MakeFile | Refer | Truncate,

    /// <summary>What can be granted on something that is no folder.</summary>
    OfFiles = Execute | WriteFile | ReadFile | Truncate | DeviceControl,
}
