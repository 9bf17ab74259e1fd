using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using ProcessPool.Launch.Interop;
using ProcessPool.Protocol;

namespace ProcessPool.Launch;

/// <summary>
/// What a sandbox and its host share beside the pipes: the recorder and the mailbox. On Linux it is sealed memory that only the sandbox inherits; elsewhere
/// (untested) a file that is deleted with this object, without a mailbox. It is read and written, never mapped: whatever the sandbox does to it, a read is a read.
/// </summary>
internal sealed class SharedMemory : IDisposable
{
    private readonly SafeFileHandle _memory;
    private readonly SafeFileHandle? _inherited;
    private readonly int _mailboxBytes;

    private SharedMemory(SafeFileHandle memory, SafeFileHandle? inherited, string location, int mailboxBytes)
    {
        _memory = memory;
        _inherited = inherited;
        _mailboxBytes = mailboxBytes;
        Location = location;
        Recorder = new Recorder(memory);
        Mailbox = inherited is null ? null : Mailbox.OfHost(memory, mailboxBytes);
    }

    /// <summary>Where the sandbox finds it: the number of a file descriptor, or a path.</summary>
    public string Location { get; }

    public Recorder Recorder { get; }

    /// <summary>Null where there is none.</summary>
    public Mailbox? Mailbox { get; }

    /// <summary>Makes it. On the spawner thread: until <see cref="CloseInherited"/> every process that is started inherits it.</summary>
    /// <param name="mailboxBytes">The size of each half of the mailbox.</param>
    public static SharedMemory Create(int mailboxBytes)
    {
        var inherited = OperatingSystem.IsLinux() ? LibC.CreateSealedMemory("processpool", Mailbox.BytesFor(mailboxBytes)) : null;
        if (inherited is null)
        {
            var path = Path.Combine(Path.GetTempPath(), $"processpool-{Convert.ToHexString(RandomNumberGenerator.GetBytes(16))}");
            var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.DeleteOnClose);
            RandomAccess.SetLength(file, RecorderPage.Bytes);
            return new SharedMemory(file, null, path, 0);
        }

        try
        {
            var descriptor = inherited.DangerousGetHandle().ToString(CultureInfo.InvariantCulture);
            var memory = File.OpenHandle($"/proc/self/fd/{descriptor}", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            return new SharedMemory(memory, inherited, descriptor, mailboxBytes);
        }
        catch
        {
            inherited.Dispose();
            throw;
        }
    }

    /// <summary>The sandbox has it: no other process is to inherit it.</summary>
    public void CloseInherited() => _inherited?.Dispose();

    /// <summary>Gives what is in the mailbox back to the system.</summary>
    public void EmptyMailbox()
    {
        if (OperatingSystem.IsLinux() && _mailboxBytes > 0)
        {
            LibC.PunchHole(_memory, RecorderPage.Bytes, 2L * _mailboxBytes);
        }
    }

    public void Dispose()
    {
        _inherited?.Dispose();
        _memory.Dispose();
    }
}
