using System.Diagnostics;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using ProcessPool.Protocol;
using ProcessPool.Sandbox.Interop;

namespace ProcessPool.Sandbox.Serving;

/// <summary>Writes what is being executed into the recorder page. Each mark is a store into memory.</summary>
internal sealed unsafe class Recorder
{
    // Mapped for the life of the process.
    private readonly byte* _page;

    private Recorder(SafeFileHandle memory)
    {
        Memory = memory;
        var file = MemoryMappedFile.CreateFromFile(memory, mapName: null, capacity: 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        file.CreateViewAccessor(0, RecorderPage.Bytes).SafeMemoryMappedViewHandle.AcquirePointer(ref _page);
    }

    /// <summary>What it is in, with the mailbox behind it.</summary>
    public SafeFileHandle Memory { get; }

    /// <summary>Maps the page; null when there is none (debug mode).</summary>
    /// <param name="location">The number of an inherited file descriptor, or a path, or "".</param>
    public static Recorder? Open(string location)
    {
        if (location.Length == 0)
        {
            return null;
        }

        SafeFileHandle handle;
        if (int.TryParse(location, NumberStyles.None, CultureInfo.InvariantCulture, out var fileDescriptor))
        {
            LibC.KeepFromChildren(fileDescriptor);
            handle = new SafeFileHandle(fileDescriptor, ownsHandle: true);
        }
        else
        {
            handle = File.OpenHandle(location, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        }

        return new Recorder(handle);
    }

    /// <summary>A call begins: from here on its death is its own.</summary>
    public void Start(long call)
    {
        Volatile.Write(ref At(RecorderPage.StartedAt), Stopwatch.GetTimestamp());
        Volatile.Write(ref At(RecorderPage.StartedCall), call);
    }

    /// <summary>A call has ended, and its reply is about to be sent.</summary>
    public void Finish(long call) => Volatile.Write(ref At(RecorderPage.FinishedCall), call);

    /// <summary>Keeps a reply that is finished and not sent yet: it survives this process.</summary>
    /// <returns>Whether there was room for it.</returns>
    public bool TryKeep(ReadOnlySpan<byte> frame)
    {
        ref var length = ref At(RecorderPage.OutboxLength);
        if (RecorderPage.OutboxBytes - length < frame.Length)
        {
            return false;
        }

        frame.CopyTo(new Span<byte>(_page + RecorderPage.OutboxAt + length, frame.Length));
        Volatile.Write(ref length, length + frame.Length);
        return true;
    }

    /// <summary>They are sent.</summary>
    public void Sent() => Volatile.Write(ref At(RecorderPage.OutboxLength), 0);

    private ref long At(int offset) => ref *(long*)(_page + offset);
}
