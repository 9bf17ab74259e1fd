using System.ComponentModel;
using System.Runtime.InteropServices;
using ProcessPool.Protocol.Interop;

namespace ProcessPool.Protocol.Transport;

/// <summary>A pipe to read from and one to write to, by system calls that never wait, and waiting apart from them. Unix only. It does not own the handles.</summary>
internal sealed unsafe class RawPipe
{
    /// <summary>What a pipe holds at first.</summary>
    private const int LargeBytes = 64 * 1024;

    private readonly SafeHandle _input;
    private readonly SafeHandle _output;
    private bool _isLarge;

    public RawPipe(SafeHandle input, SafeHandle output)
    {
        _input = input;
        _output = output;
        LibC.DoNotBlock((int)input.DangerousGetHandle());
        LibC.DoNotBlock((int)output.DangerousGetHandle());
    }

    /// <summary>The descriptors, for a poller. They stay valid until <see cref="PipePoller.Forget"/> was called.</summary>
    public int Input => (int)_input.DangerousGetHandle();

    public int Output => (int)_output.DangerousGetHandle();

    /// <returns>How many bytes; 0 at the end; -1: nothing is there yet.</returns>
    /// <exception cref="IOException">The pipe is broken, or was closed here.</exception>
    public int TryRead(Span<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            return Try(_input, bytes, buffer.Length, isRead: true);
        }
    }

    /// <summary>Reads, holding the thread until there is something or the end.</summary>
    public int Read(Span<byte> buffer)
    {
        int count;
        while ((count = TryRead(buffer)) < 0)
        {
            WaitToRead();
        }

        return count;
    }

    /// <returns>How many bytes; 0: there is no room.</returns>
    /// <exception cref="IOException">The other side is gone, or the pipe was closed here.</exception>
    public int TryWrite(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length > LargeBytes && !_isLarge)
        {
            _isLarge = true;
            LibC.Enlarge(Output);
        }

        fixed (byte* bytes = buffer)
        {
            return Math.Max(0, Try(_output, bytes, buffer.Length, isRead: false));
        }
    }

    /// <summary>Holds the thread until there is something to read, or the end.</summary>
    public void WaitToRead() => Wait(_input, LibC.PollIn);

    /// <summary>Holds the thread until there is room, or nobody reads any more.</summary>
    public void WaitToWrite() => Wait(_output, LibC.PollOut);

    private static int Try(SafeHandle handle, byte* bytes, int count, bool isRead)
    {
        var isHeld = false;
        try
        {
            handle.DangerousAddRef(ref isHeld);
            var descriptor = (int)handle.DangerousGetHandle();
            while (true)
            {
                var done = isRead ? LibC.Read(descriptor, bytes, count) : LibC.Write(descriptor, bytes, count);
                if (done >= 0)
                {
                    return (int)done;
                }

                var error = Marshal.GetLastPInvokeError();
                if (LibC.WouldBlock(error))
                {
                    return -1;
                }

                if (!LibC.IsInterrupted(error))
                {
                    throw new IOException(new Win32Exception(error).Message);
                }
            }
        }
        catch (ObjectDisposedException exception)
        {
            throw new IOException("The pipe was closed.", exception);
        }
        finally
        {
            if (isHeld)
            {
                handle.DangerousRelease();
            }
        }
    }

    private static void Wait(SafeHandle handle, short events)
    {
        var isHeld = false;
        try
        {
            handle.DangerousAddRef(ref isHeld);
            var descriptor = new LibC.PollDescriptor { FileDescriptor = (int)handle.DangerousGetHandle(), Events = events };
            _ = LibC.Poll(&descriptor, 1, Timeout.Infinite);
        }
        finally
        {
            if (isHeld)
            {
                handle.DangerousRelease();
            }
        }
    }
}
