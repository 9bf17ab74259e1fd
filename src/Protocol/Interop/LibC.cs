using System.Runtime.InteropServices;

namespace ProcessPool.Protocol.Interop;

/// <summary>System calls on pipes that .NET has no name for, or none that does not hold a thread. Unix only; epoll is Linux's.</summary>
internal static unsafe partial class LibC
{
    public const short PollIn = 1;
    public const short PollOut = 4;

    public const int EpollAdd = 1;
    public const int EpollDelete = 2;
    public const int EpollModify = 3;
    public const uint EpollIn = 1;
    public const uint EpollOut = 4;
    public const uint EpollOneShot = 1u << 30;

    private const int GetStatusFlags = 3;
    private const int SetStatusFlags = 4;
    private const int SetPipeSize = 1031;
    private const int ProcessorsOnline = 84;
    private const int PopulateForWriting = 23;
    private const long PageBytes = 4096;

    public static bool IsInterrupted(int error) => error == 4;

    /// <summary>EAGAIN: 11 on Linux, 35 on macOS.</summary>
    public static bool WouldBlock(int error) => error == (OperatingSystem.IsLinux() ? 11 : 35);

    /// <summary>From now on reading and writing end at once. A setting of this end, not of the other one.</summary>
    public static void DoNotBlock(int fileDescriptor) => _ = Fcntl(fileDescriptor, SetStatusFlags, Fcntl(fileDescriptor, GetStatusFlags, 0) | (OperatingSystem.IsLinux() ? 0x800 : 0x4));

    /// <summary>Makes a pipe hold a mebibyte, where that is allowed (Linux): a large message then takes fewer turns. A user's pipes are limited in all: not for every pipe.</summary>
    public static void Enlarge(int fileDescriptor)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = Fcntl(fileDescriptor, SetPipeSize, 1 << 20);
        }
    }

    /// <summary>Has the system provide the pages of a large buffer all at once, where it can (Linux 5.14): a third to a half cheaper than one by one when they are written.</summary>
    public static void Populate(Span<byte> buffer)
    {
        if (OperatingSystem.IsLinux())
        {
            fixed (byte* begin = buffer)
            {
                var first = ((nint)begin + PageBytes - 1) & -PageBytes;
                _ = AdviseMemory((nint)first, (nuint)Math.Max(0, ((nint)begin + buffer.Length & -PageBytes) - first), PopulateForWriting);
            }
        }
    }

    /// <summary>How many processors the machine has, whatever the runtime was told.</summary>
    public static int Processors { get; } = OperatingSystem.IsLinux() ? (int)SystemConfiguration(ProcessorsOnline) : Environment.ProcessorCount;

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int fileDescriptor, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int fileDescriptor, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollDescriptor* descriptors, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, int fileDescriptor, byte* epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, byte* events, int maxEvents, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int fileDescriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int AdviseMemory(nint address, nuint bytes, int advice);

    [LibraryImport("libc", EntryPoint = "sysconf")]
    private static partial nint SystemConfiguration(int name);

    [StructLayout(LayoutKind.Sequential)]
    public struct PollDescriptor
    {
        public int FileDescriptor;
        public short Events;
        public short ReturnedEvents;
    }
}
