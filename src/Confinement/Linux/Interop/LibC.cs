using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace ProcessPool.Confining.Linux.Interop;

/// <summary>System calls by number, and the few by name. Numbers of calls that came after 424 are the same on every architecture.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe partial class LibC
{
    /// <summary>Makes a system call.</summary>
    /// <returns>What it returned, or minus the error's number.</returns>
    public static long Call(int number, nint argument1 = 0, nint argument2 = 0, nint argument3 = 0, nint argument4 = 0, nint argument5 = 0)
    {
        var result = Syscall(number, argument1, argument2, argument3, argument4, argument5);
        return result >= 0 ? result : -Marshal.GetLastPInvokeError();
    }

    /// <summary>Opens a file.</summary>
    /// <returns>The descriptor, or minus the error's number.</returns>
    public static int OpenFile(string path, int flags, int mode = 0)
    {
        var result = Open(path, flags, mode);
        return result >= 0 ? result : -Marshal.GetLastPInvokeError();
    }

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fileDescriptor);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int fileDescriptor, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "getpid")]
    public static partial int GetProcessId();

    [LibraryImport("libc", EntryPoint = "getppid")]
    public static partial int GetParentProcessId();

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "unlink", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(string path, int user, int group);

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8)]
    public static partial byte* FindRealPath(string path, byte* found);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int Prctl(int option, nint argument2, nint argument3, nint argument4, nint argument5);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Fcntl(int fileDescriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "signal")]
    public static partial nint Signal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true)]
    public static partial int Execute(byte* path, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint argument1, nint argument2, nint argument3, nint argument4, nint argument5);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);
}
