using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ProcessPool.Launch.Interop;

/// <summary>
/// An open folder. What is in it is reached by this descriptor and one name, never by a path: so no link is followed, nothing lies too deep, and who renames folders meanwhile leads nowhere else.
/// Every method returns 0 or the error's number.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class FolderHandle : IDisposable
{
    private const int OwnerOnly = 0x1C0;

    // AT_FDCWD. Not looked at: the paths are absolute.
    private static readonly FolderHandle Around = new(new SafeFileHandle(-100, ownsHandle: false));

    private readonly SafeFileHandle _handle;

    private FolderHandle(SafeFileHandle handle) => _handle = handle;

    public static int Open(string path, out FolderHandle folder) => Around.Open(ToName(path), out folder);

    public static int OpenUnlocked(string path, out FolderHandle folder) => Around.OpenUnlocked(ToName(path), out folder);

    public static int Look(string path, out FileStatus status) => Around.Look(ToName(path), out status);

    public static int DeleteFolder(string path) => Around.DeleteFolder(ToName(path));

    public int Open(ReadOnlySpan<byte> name, out FolderHandle folder) => Open(name, 0, out folder);

    /// <summary>Opens a folder whatever its mode forbids, after having changed that; where this user may.</summary>
    public int OpenUnlocked(ReadOnlySpan<byte> name, out FolderHandle folder)
    {
        // This needs no right on the folder itself. Its mode is changed by this descriptor: by its name it could be a link by now.
        var error = Open(name, LibC.PathOnly, out folder);
        if (error != 0)
        {
            return error;
        }

        using var place = folder;
        _ = LibC.ChangeMode(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{place._handle.DangerousGetHandle()}"), OwnerOnly);
        return place.Open(".\0"u8, out folder);
    }

    /// <summary>What an entry is; of a link itself.</summary>
    public int Look(ReadOnlySpan<byte> name, out FileStatus status) => Error(LibC.Status(_handle, in MemoryMarshal.GetReference(name), LibC.DoNotFollowLinks, FileStatus.Mask, out status));

    /// <summary>Deletes what is no folder.</summary>
    public int Delete(ReadOnlySpan<byte> name) => Error(LibC.UnlinkAt(_handle, in MemoryMarshal.GetReference(name), 0));

    /// <summary>Deletes an empty folder.</summary>
    public int DeleteFolder(ReadOnlySpan<byte> name) => Error(LibC.UnlinkAt(_handle, in MemoryMarshal.GetReference(name), LibC.RemoveFolder));

    public int Move(ReadOnlySpan<byte> name, FolderHandle to, string newName) => Error(LibC.RenameAt(_handle, in MemoryMarshal.GetReference(name), to._handle, in MemoryMarshal.GetReference<byte>(ToName(newName))));

    /// <summary>Locks it against everybody else who would, until it is closed.</summary>
    public int HoldLock() => Error(LibC.FileLock(_handle, LibC.LockExclusively | LibC.DoNotWait));

    /// <summary>The descriptor, for somebody else to close.</summary>
    public SafeFileHandle Detach() => _handle;

    /// <summary>The next entries, for <see cref="FolderEntries"/>.</summary>
    /// <param name="buffer">Takes them.</param>
    /// <param name="read">How many bytes they are; 0 at the end.</param>
    public int Read(Span<byte> buffer, out int read)
    {
        var result = LibC.ReadFolder(_handle, ref MemoryMarshal.GetReference(buffer), buffer.Length);
        read = (int)Math.Max(0, result);
        return Error((int)result);
    }

    /// <summary>The next entries are the first ones again.</summary>
    public void Rewind() => _ = LibC.Seek(_handle, 0, 0);

    public void Dispose() => _handle.Dispose();

    private int Open(ReadOnlySpan<byte> name, int flags, out FolderHandle folder)
    {
        var descriptor = LibC.OpenAt(_handle, in MemoryMarshal.GetReference(name), LibC.IsFolder | LibC.IsNoLink | LibC.CloseOnExecute | flags);
        folder = descriptor < 0 ? Around : new FolderHandle(new SafeFileHandle(descriptor, ownsHandle: true));
        return Error(descriptor);
    }

    private static int Error(int result) => result < 0 ? Marshal.GetLastPInvokeError() : 0;

    private static byte[] ToName(string path) => Encoding.UTF8.GetBytes(path + '\0');
}
