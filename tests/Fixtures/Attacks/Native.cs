using System.Runtime.InteropServices;

namespace Attacks;

/// <summary>The system as native code sees it. Every result is 0 or more, or minus the error's number.</summary>
internal static unsafe partial class Native
{
    public static readonly bool IsX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;

    public static long Call(int x64, int arm64, nint a = 0, nint b = 0, nint c = 0, nint d = 0, nint e = 0)
    {
        var result = Syscall(IsX64 ? x64 : arm64, a, b, c, d, e);
        return result >= 0 ? result : -Marshal.GetLastPInvokeError();
    }

    public static int Open(string path, int flags)
    {
        var result = OpenFile(path, flags, 0x180);
        return result >= 0 ? result : -Marshal.GetLastPInvokeError();
    }

    /// <summary>What a call that needs text does.</summary>
    public static long WithText(string text, Func<nint, long> call)
    {
        var bytes = Marshal.StringToCoTaskMemUTF8(text);
        try
        {
            return call(bytes);
        }
        finally
        {
            Marshal.FreeCoTaskMem(bytes);
        }
    }

    /// <summary>Shared memory that has no file.</summary>
    public static long MapShared() => MapAnew(0x21);

    /// <summary>Memory with these flags, and no file.</summary>
    public static long MapAnew(int flags)
    {
        var at = Map(0, 4096, 3, flags, -1, 0);
        return at == -1 ? -Marshal.GetLastPInvokeError() : Math.Max(0, Unmap(at, 4096));
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nint length);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint a, nint b, nint c, nint d, nint e);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);
}
