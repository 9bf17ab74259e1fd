using Microsoft.Win32.SafeHandles;
using ProcessPool.Protocol.Interop;

namespace ProcessPool.Protocol;

/// <summary>
/// Memory beside the calls channel for attachments that are too large for its frames: one half for what the host sends, the other for what the sandbox sends,
/// each in use while a request or its reply is on the way. Written and read by system calls: what was read is a copy, whatever the other side does to the memory then.
/// </summary>
/// <param name="memory">A file that both ends have, as large as <see cref="BytesFor"/> says beside what is before it.</param>
/// <param name="putAt">Where the half begins that is written here.</param>
/// <param name="takeAt">Where the other half begins.</param>
/// <param name="capacity">The size of a half.</param>
internal sealed class Mailbox(SafeFileHandle memory, long putAt, long takeAt, int capacity)
{
    /// <summary>Attachments from this size on go through it: measured, below it the pipe is faster.</summary>
    public const int Threshold = 512 * 1024;

    private const int InMessage = -1;

    /// <summary>The host's end.</summary>
    public static Mailbox OfHost(SafeFileHandle memory, int capacity) => new(memory, RecorderPage.Bytes, RecorderPage.Bytes + (long)capacity, capacity);

    /// <summary>The sandbox's end; null when the memory has no room for a mailbox.</summary>
    public static Mailbox? OfSandbox(SafeFileHandle memory, int capacity) =>
        RandomAccess.GetLength(memory) < BytesFor(capacity) ? null : new Mailbox(memory, RecorderPage.Bytes + (long)capacity, RecorderPage.Bytes, capacity);

    /// <summary>How large the memory is with it, recorder included. Memory that was never written takes none.</summary>
    public static long BytesFor(int capacity) => RecorderPage.Bytes + 2L * capacity;

    /// <summary>Moves the large ones of these into the mailbox, in place of what was in it.</summary>
    /// <returns>Those that stay in the message, and for each of all of them its length in the mailbox, or -1; no lengths when none was moved.</returns>
    public (ReadOnlyMemory<byte>[] InMessage, int[] Lengths) Put(ReadOnlyMemory<byte>[] attachments)
    {
        var lengths = Array.ConvertAll(attachments, attachment => attachment.Length >= Threshold ? attachment.Length : InMessage);
        var at = 0L;
        for (var i = 0; i < lengths.Length; i++)
        {
            if (lengths[i] != InMessage && TryWrite(attachments[i].Span, at))
            {
                at += lengths[i];
            }
            else
            {
                lengths[i] = InMessage;
            }
        }

        return at == 0 ? (attachments, []) : ([.. attachments.Where((_, index) => lengths[index] == InMessage)], lengths);
    }

    /// <summary>All attachments of a message.</summary>
    /// <param name="inMessage">Those that came in it.</param>
    /// <param name="lengths">What <see cref="Put"/> on the other side said.</param>
    /// <exception cref="InvalidDataException">They do not go together.</exception>
    public ReadOnlyMemory<byte>[] Take(ReadOnlyMemory<byte>[] inMessage, int[] lengths)
    {
        if (lengths.Length > inMessage.Length + (capacity / Threshold))
        {
            throw new InvalidDataException($"A message announces {lengths.Length} attachments and has {inMessage.Length}; the mailbox has no room for the others.");
        }

        var attachments = new ReadOnlyMemory<byte>[lengths.Length];
        var (at, next) = (0L, 0);
        for (var i = 0; i < lengths.Length; i++)
        {
            if (lengths[i] == InMessage)
            {
                attachments[i] = next < inMessage.Length ? inMessage[next++] : throw new InvalidDataException("A message lacks an attachment.");
            }
            else if (lengths[i] < Threshold || at + lengths[i] > capacity)
            {
                throw new InvalidDataException($"An attachment of {lengths[i]} bytes cannot be in a mailbox of {capacity}.");
            }
            else
            {
                attachments[i] = Read(at, lengths[i]);
                at += lengths[i];
            }
        }

        return next == inMessage.Length ? attachments : throw new InvalidDataException("A message has an attachment too many.");
    }

    private bool TryWrite(ReadOnlySpan<byte> bytes, long at)
    {
        try
        {
            if (at + bytes.Length > capacity)
            {
                return false;
            }

            RandomAccess.Write(memory, bytes, putAt + at);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            // No memory left, or a limit on the size of files: it goes in the message.
            return false;
        }
    }

    private byte[] Read(long at, int length)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(length);
        LibC.Populate(bytes);
        for (var done = 0; done < length;)
        {
            var count = RandomAccess.Read(memory, bytes.AsSpan(done), takeAt + at + done);
            done += count > 0 ? count : throw new InvalidDataException("The mailbox ends too early.");
        }

        return bytes;
    }
}
