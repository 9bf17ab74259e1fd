using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace ProcessPool.Launch.Interop;

/// <summary>A file of /proc.</summary>
[SupportedOSPlatform("linux")]
internal static class ProcFile
{
    /// <summary>Reads it whole. Without the lock that <see cref="File"/> takes: the process that the file is about can hold it, and nobody else could read.</summary>
    /// <returns>0, or the error's number.</returns>
    public static int Read(string path, out ReadOnlySpan<byte> content)
    {
        content = default;
        var descriptor = LibC.Open(path, LibC.CloseOnExecute);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        using var file = new SafeFileHandle(descriptor, ownsHandle: true);
        var buffer = new byte[1 << 12];
        for (var length = 0; ;)
        {
            switch ((int)LibC.Read(file, ref buffer[length], buffer.Length - length))
            {
                case < 0:
                    return Marshal.GetLastPInvokeError();
                case 0:
                    content = buffer.AsSpan(0, length);
                    return 0;
                case var read when (length += read) == buffer.Length:
                    Array.Resize(ref buffer, 2 * length);
                    break;
            }
        }
    }
}
