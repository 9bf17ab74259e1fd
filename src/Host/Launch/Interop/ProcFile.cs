using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace ProcessPool.Launch.Interop;

/// <summary>A file of /proc.</summary>
[SupportedOSPlatform("linux")]
internal static class ProcFile
{
    // More than a program can be started with by default. A process can have it that its environment, which the host reads of all of them, has gigabytes.
    private const int MostBytes = 4 << 20;

    /// <summary>Reads it, up to four mebibytes. Without the lock that <see cref="File"/> takes: the process that the file is about can hold it, and nobody else could read.</summary>
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
        var length = 0;
        while (true)
        {
            var read = (int)LibC.Read(file, ref buffer[length], buffer.Length - length);
            if (read < 0)
            {
                return Marshal.GetLastPInvokeError();
            }

            length += read;
            if (read == 0 || length == MostBytes)
            {
                content = buffer.AsSpan(0, length);
                return 0;
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, 2 * length);
            }
        }
    }
}
