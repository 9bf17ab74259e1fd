using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.ComponentModel;
using System.Runtime.InteropServices;
using ProcessPool.Protocol.Interop;

namespace ProcessPool.Protocol.Transport;

/// <summary>
/// One thread that waits for all pipes of this process. Linux only (epoll). Who is called is called once, on that thread, and asks again: nothing of a user's may run there.
/// Thread-safe.
/// </summary>
internal sealed unsafe class PipePoller
{
    private const int MaxEvents = 64;

    // struct epoll_event is packed on x64 alone.
    private static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    // Tried again if it failed: descriptors may have been short.
    private static readonly Lazy<PipePoller> Instance = new(() => new PipePoller(), LazyThreadSafetyMode.PublicationOnly);

    [ThreadStatic]
    private static bool t_isCurrent;

    private readonly int _epoll = LibC.EpollCreate(flags: 0x80000);
    private readonly ConcurrentDictionary<int, Action> _waiting = new();

    private PipePoller()
    {
        if (_epoll < 0)
        {
            throw new IOException($"epoll: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }

        new Thread(Run) { IsBackground = true, Name = "ProcessPool pipes" }.Start();
    }

    public static PipePoller Shared => Instance.Value;

    /// <summary>Whether this is the thread that waits for all pipes.</summary>
    public static bool IsCurrent => t_isCurrent;

    /// <summary>Adds a descriptor, at rest.</summary>
    public void Add(int descriptor, Action whenReady)
    {
        _waiting[descriptor] = whenReady;
        if (Control(LibC.EpollAdd, descriptor, LibC.EpollOneShot) < 0)
        {
            throw new IOException($"epoll: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
    }

    /// <summary>Calls its action once: when there is something to read, or the end.</summary>
    public void WaitToRead(int descriptor) => Control(LibC.EpollModify, descriptor, LibC.EpollIn | LibC.EpollOneShot);

    /// <summary>Calls its action once: when there is room, or nobody reads any more.</summary>
    public void WaitToWrite(int descriptor) => Control(LibC.EpollModify, descriptor, LibC.EpollOut | LibC.EpollOneShot);

    /// <summary>Back to rest.</summary>
    public void Rest(int descriptor) => Control(LibC.EpollModify, descriptor, LibC.EpollOneShot);

    /// <summary>Takes a descriptor out, before it is closed.</summary>
    public void Forget(int descriptor)
    {
        Control(LibC.EpollDelete, descriptor, 0);
        _waiting.TryRemove(descriptor, out _);
    }

    // One that was taken out meanwhile is nobody's business any more.
    private int Control(int operation, int descriptor, uint events)
    {
        var epollEvent = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>(epollEvent, sizeof(uint)), events);
        BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(epollEvent + EventBytes - sizeof(long), sizeof(long)), descriptor);
        return LibC.EpollControl(_epoll, operation, descriptor, epollEvent);
    }

    private void Run()
    {
        t_isCurrent = true;
        var events = stackalloc byte[MaxEvents * 16];
        while (true)
        {
            var count = LibC.EpollWait(_epoll, events, MaxEvents, Timeout.Infinite);
            for (var i = 0; i < count; i++)
            {
                var descriptor = (int)BinaryPrimitives.ReadInt64LittleEndian(new ReadOnlySpan<byte>(events + (i + 1) * EventBytes - sizeof(long), sizeof(long)));
                if (_waiting.TryGetValue(descriptor, out var whenReady))
                {
                    try
                    {
                        whenReady();
                    }
                    catch (Exception)
                    {
                        // Who is called ends its own connection when something is wrong; what comes out all the same must not end this program, or the other pipes.
                    }
                }
            }
        }
    }
}
