using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using ProcessPool.Protocol;
using ProcessPool.Workers;

namespace ProcessPool.Launch;

/// <summary>The host's end of the recorder. What is in it is the sandbox's claim.</summary>
internal sealed class Recorder(SafeFileHandle memory)
{
    /// <summary>What is recorded; null when it cannot be read.</summary>
    public RecorderMark? Read()
    {
        Span<byte> page = stackalloc byte[RecorderPage.UsedBytes];
        try
        {
            return RandomAccess.Read(memory, page, 0) < page.Length
                ? null
                : new RecorderMark(
                    BinaryPrimitives.ReadInt64LittleEndian(page[RecorderPage.StartedCall..]),
                    BinaryPrimitives.ReadInt64LittleEndian(page[RecorderPage.StartedAt..]),
                    BinaryPrimitives.ReadInt64LittleEndian(page[RecorderPage.FinishedCall..]));
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Replies that a sandbox finished and had not sent when it died, as frames.</summary>
    public byte[] ReadOutbox()
    {
        try
        {
            Span<byte> length = stackalloc byte[sizeof(long)];
            RandomAccess.Read(memory, length, RecorderPage.OutboxLength);
            var outbox = new byte[Math.Clamp(BinaryPrimitives.ReadInt64LittleEndian(length), 0, RecorderPage.OutboxBytes)];
            return outbox[..RandomAccess.Read(memory, outbox, RecorderPage.OutboxAt)];
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            return [];
        }
    }
}
