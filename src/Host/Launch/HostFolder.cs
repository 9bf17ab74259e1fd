using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;
using ProcessPool.Launch.Interop;

namespace ProcessPool.Launch;

/// <summary>
/// This process's folder among the temporary ones, while it has scratch folders: they lie in it. A lock in it tells other hosts that this one lives; the kernel lets go of it however a process ends, in every namespace that shares the folder.
/// What hosts that were killed have left behind is deleted by the next one.
/// </summary>
/// <param name="root">The folder for what is temporary.</param>
internal sealed class HostFolder(string root)
{
    private const string Prefix = "processpool-host-";
    private const string LockName = "lock";
    private const int Attempts = 10;

    // Others may pass through it, for sandboxes of another user, and not look around.
    private const UnixFileMode Mode = (UnixFileMode)0b111_001_001;
    private const UnixFileMode ScratchMode = (UnixFileMode)0b111_000_000;

    private readonly Lock _gate = new();
    private FileStream? _lock;
    private int _count;
    private bool _hasSwept;

    /// <summary>The process's own.</summary>
    public static HostFolder Own { get; } = new(Path.GetTempPath());

    /// <summary>Makes a scratch folder, which only its owner may look into.</summary>
    public string Take(ILogger logger)
    {
        lock (_gate)
        {
            if (_count == 0)
            {
                _lock = Make();
            }

            _count++;
            if (!_hasSwept)
            {
                _hasSwept = true;
                Task.Run(() => Sweep(logger)).Forget();
            }

            try
            {
                return MakeFolder(Path.Combine(Path.GetDirectoryName(_lock!.Name)!, Path.GetRandomFileName()), ScratchMode);
            }
            catch
            {
                Release_NeedsLock();
                throw;
            }
        }
    }

    /// <summary>A scratch folder has been deleted.</summary>
    public void Release()
    {
        lock (_gate)
        {
            Release_NeedsLock();
        }
    }

    /// <summary>Deletes the folders of hosts of this user that are gone.</summary>
    public void Sweep(ILogger logger)
    {
        try
        {
            foreach (var folder in Directory.EnumerateDirectories(root, Prefix + "*").Where(IsOwn))
            {
                Delete(folder, logger);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            logger.ScratchLeft(exception, root);
        }
    }

    // What others have put there is not touched: it could lead anywhere.
    private static bool IsOwn(string folder) => !OperatingSystem.IsLinux() || (FolderHandle.Look(folder, out var status) == 0 && status.IsFolder && status.Owner == LibC.GetEffectiveUserId());

    private static void Delete(string folder, ILogger logger)
    {
        try
        {
            // Not held: it lives.
            using var held = Hold(Path.Combine(folder, LockName), FileMode.Open);
            if (held is null)
            {
                return;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It has only just begun, or somebody who cleans up was faster.
            return;
        }

        ScratchDirectory.Delete(folder, logger);
    }

    // On Linux not by .NET's lock, which can be switched off: then everybody would seem to be gone.
    private static FileStream? Hold(string path, FileMode mode)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new FileStream(path, mode, FileAccess.ReadWrite, FileShare.None);
        }

        var file = new FileStream(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite);
        if (LibC.HoldLock(file.SafeFileHandle))
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    private static string MakeFolder(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            return Directory.CreateDirectory(path).FullName;
        }

        Directory.CreateDirectory(path, mode);
        // Whatever the process's mask takes away.
        File.SetUnixFileMode(path, mode);
        return path;
    }

    private FileStream Make()
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var folder = MakeFolder(Path.Combine(root, $"{Prefix}{Path.GetRandomFileName()}"), Mode);
            if (Hold(Path.Combine(folder, LockName), FileMode.CreateNew) is { } held)
            {
                return held;
            }

            // Between its making and its locking another host took it for one that was left behind.
        }

        throw new IOException($"The folder {root} has files that cannot be locked: give another one as TMPDIR.");
    }

    private void Release_NeedsLock()
    {
        if (--_count > 0)
        {
            return;
        }

        using var held = _lock!;
        var folder = Path.GetDirectoryName(held.Name)!;
        try
        {
            // What could not be deleted is the next host's to try again, which knows by the lock.
            if (Directory.EnumerateFileSystemEntries(folder).Skip(1).Any())
            {
                return;
            }

            File.Delete(held.Name);
            Directory.Delete(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Somebody who cleans temporary folders was here before.
        }
    }
}
