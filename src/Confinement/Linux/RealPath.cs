using System.Text;
using ProcessPool.Confining.Linux.Interop;

namespace ProcessPool.Confining.Linux;

/// <summary>Where a path leads when all links and ".." in it are followed, as the kernel does.</summary>
internal static class RealPath
{
    // PATH_MAX, with the zero at its end.
    private const int MostBytes = 4_096;

    /// <summary>The path itself where there is nothing, or no Linux.</summary>
    public static unsafe string Of(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return Path.GetFullPath(path);
        }

        var found = stackalloc byte[MostBytes];
        return LibC.FindRealPath(path, found) is null ? Path.GetFullPath(path) : Encoding.UTF8.GetString(System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(found));
    }
}
