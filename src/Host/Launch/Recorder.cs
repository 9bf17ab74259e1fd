using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using ProcessPool.Launch.Interop;
using ProcessPool.Protocol;
using ProcessPool.Workers;

namespace ProcessPool.Launch;

/// <summary>
/// The host's end of the recorder. On Linux it is sealed memory that only the sandbox inherits; elsewhere (untested) a file that is deleted
/// with this object. It is read, never mapped: whatever the sandbox does to it, a read is a read.
/// </summary>
internal sealed class Recorder : IDisposable
{
    private readonly SafeFileHandle _page;
    private readonly SafeFileHandle? _inherited;

    private Recorder(SafeFileHandle page, SafeFileHandle? inherited, string location)
    {
        _page = page;
        _inherited = inherited;
        Location = location;
    }

    /// <summary>Where the sandbox finds it: the number of a file descriptor, or a path.</summary>
    public string Location { get; }

    /// <summary>Makes a page. On the spawner thread: until <see cref="CloseInherited"/> every process that is started inherits it.</summary>
    public static Recorder Create()
    {
        var inherited = OperatingSystem.IsLinux() ? LibC.CreateSealedMemory("processpool-recorder", RecorderPage.Bytes) : null;
        if (inherited is null)
        {
            var path = Path.Combine(Path.GetTempPath(), $"processpool-{Convert.ToHexString(RandomNumberGenerator.GetBytes(16))}");
            var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.DeleteOnClose);
            RandomAccess.SetLength(file, RecorderPage.Bytes);
            return new Recorder(file, null, path);
        }

        try
        {
            var descriptor = inherited.DangerousGetHandle().ToString(CultureInfo.InvariantCulture);
            var page = File.OpenHandle($"/proc/self/fd/{descriptor}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return new Recorder(page, inherited, descriptor);
        }
        catch
        {
            inherited.Dispose();
            throw;
        }
    }

    /// <summary>The sandbox has it: no other process is to inherit it.</summary>
    public void CloseInherited() => _inherited?.Dispose();

    /// <summary>What is recorded; null when it cannot be read.</summary>
    public RecorderMark? Read()
    {
        Span<byte> page = stackalloc byte[RecorderPage.UsedBytes];
        try
        {
            return RandomAccess.Read(_page, page, 0) < page.Length
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

    /// <summary>Replies that a sandbox finished and had not sent when it died, as frames. What is in it is its claim too.</summary>
    public byte[] ReadOutbox()
    {
        try
        {
            Span<byte> length = stackalloc byte[sizeof(long)];
            RandomAccess.Read(_page, length, RecorderPage.OutboxLength);
            var outbox = new byte[Math.Clamp(BinaryPrimitives.ReadInt64LittleEndian(length), 0, RecorderPage.OutboxBytes)];
            return outbox[..RandomAccess.Read(_page, outbox, RecorderPage.OutboxAt)];
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            return [];
        }
    }

    public void Dispose()
    {
        _inherited?.Dispose();
        _page.Dispose();
    }
}
