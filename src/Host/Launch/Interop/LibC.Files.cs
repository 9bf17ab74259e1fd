using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ProcessPool.Launch.Interop;

// Files by descriptor and name. A name is bytes that end with a zero.
internal static partial class LibC
{
    public const int CloseOnExecute = 0x80000;
    public const int LockExclusively = 2;
    public const int DoNotWait = 4;
    public const int PathOnly = 0x200000;
    public const int DoNotFollowLinks = 0x100;
    public const int RemoveFolder = 0x200;

    // Those that asm-generic/fcntl.h lets an architecture choose.
    public static readonly int IsFolder = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 or Architecture.Ppc64le ? 0x4000 : 0x10000;
    public static readonly int IsNoLink = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 or Architecture.Ppc64le ? 0x8000 : 0x20000;

    // The C library has a name for it only since glibc 2.30.
    private static readonly nint GetDirectoryEntries = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 or Architecture.Arm => 217,
        Architecture.X86 or Architecture.S390x => 220,
        Architecture.Ppc64le => 202,
        _ => 61,
    };

    // And for this one since 2.28.
    private static readonly nint GetStatus = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 332,
        Architecture.Arm => 397,
        Architecture.X86 or Architecture.Ppc64le => 383,
        Architecture.S390x => 379,
        _ => 291,
    };

    /// <summary>The next entries of a folder.</summary>
    /// <returns>How many bytes they are; 0 at the end; -1 is an error.</returns>
    public static nint ReadFolder(SafeFileHandle folder, ref byte buffer, int count) => Syscall(GetDirectoryEntries, folder, ref buffer, count);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int FileLock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    public static partial int OpenAt(SafeFileHandle folder, in byte name, int flags);

    /// <summary>What an entry of a folder is.</summary>
    public static int Status(SafeFileHandle folder, in byte name, int flags, uint mask, out FileStatus status) => (int)Syscall(GetStatus, folder, in name, flags, (nint)mask, out status);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, SafeFileHandle folder, in byte name, nint flags, nint mask, out FileStatus status);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int UnlinkAt(SafeFileHandle folder, in byte name, int flags);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true)]
    public static partial int RenameAt(SafeFileHandle folder, in byte name, SafeFileHandle toFolder, in byte toName);

    [LibraryImport("libc", EntryPoint = "chmod", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeMode(string path, int mode);

    [LibraryImport("libc", EntryPoint = "lseek")]
    public static partial long Seek(SafeFileHandle file, long offset, int origin);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeFileHandle file, ref byte buffer, nint count);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, SafeFileHandle file, ref byte buffer, nint count);
}
