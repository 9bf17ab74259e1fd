using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace ProcessPool.Launch.Interop;

/// <summary>The few system calls that .NET has no name for.</summary>
[SupportedOSPlatform("linux")]
internal static partial class LibC
{
    private const uint AllowSealing = 2;
    private const int AddSeals = 1033;
    private const int SealSealing = 1;
    private const int SealShrinking = 2;
    private const int SealGrowing = 4;
    private const int KeepSize = 1;
    private const int MakeHole = 2;

    // The same numbers on x64 and arm64: https://man7.org/linux/man-pages/man2/syscalls.2.html
    private const nint PidfdSendSignal = 424;
    private const nint PidfdOpen = 434;
    private const nint KillSignal = 9;

    /// <summary>Memory as a file that a child inherits and whose size nobody can change any more; null when the system does not have that.</summary>
    public static SafeFileHandle? CreateSealedMemory(string name, long bytes)
    {
        var descriptor = MemfdCreate(name, AllowSealing);
        if (descriptor < 0)
        {
            return null;
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.SetLength(handle, bytes);
        if (Fcntl(descriptor, AddSeals, SealSealing | SealShrinking | SealGrowing) == 0)
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    /// <summary>A handle on a process, which cannot come to mean another one; null when there is no such process.</summary>
    public static SafeFileHandle? OpenProcess(int processId)
    {
        var descriptor = Syscall(PidfdOpen, processId, 0, 0, 0);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Sends SIGKILL.</summary>
    public static void Kill(SafeFileHandle process) => _ = Syscall(PidfdSendSignal, process.DangerousGetHandle(), KillSignal, 0, 0);

    /// <summary>Makes a part of a file a hole: what it took is the system's again, and it reads as zeros.</summary>
    public static void PunchHole(SafeFileHandle file, long at, long bytes) => _ = Fallocate(file, KeepSize | MakeHole, at, bytes);

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemfdCreate(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int fileDescriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "fallocate")]
    private static partial int Fallocate(SafeFileHandle file, int mode, long at, long bytes);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Syscall(nint number, nint argument1, nint argument2, nint argument3, nint argument4);
}
