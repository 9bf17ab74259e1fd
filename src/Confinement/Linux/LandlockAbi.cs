namespace ProcessPool.Confining.Linux;

/// <summary>What the versions of Landlock know. Source: Documentation/userspace-api/landlock.rst.</summary>
internal static class LandlockAbi
{
    /// <summary>The oldest version that knows truncation (Linux 6.2).</summary>
    public const int Truncation = 3;

    /// <summary>The oldest version that knows ports (Linux 6.7).</summary>
    public const int Ports = 4;

    /// <summary>The oldest version that knows what devices are asked (Linux 6.10).</summary>
    public const int Devices = 5;

    /// <summary>The oldest version that keeps signals and abstract sockets inside (Linux 6.12).</summary>
    public const int Scope = 6;

    /// <summary>The oldest version that confines all threads of a process at once (Linux 7.0). Never run.</summary>
    public const int AllThreads = 8;

    /// <summary>The rights on files that a version can deny.</summary>
    public static FileRights Handles(int abi)
    {
        const FileRights First = FileRights.Refer - 1;
        return abi switch
        {
            <= 0 => FileRights.None,
            1 => First,
            2 => First | FileRights.Refer,
            Truncation or Ports => First | FileRights.Refer | FileRights.Truncate,
            _ => First | FileRights.Refer | FileRights.Truncate | FileRights.DeviceControl,
        };
    }
}
