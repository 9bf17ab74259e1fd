using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using ProcessPool.Confining.Linux;
using ProcessPool.Diagnostics;
using ProcessPool.Launch.Interop;

namespace ProcessPool.Launch;

/// <summary>
/// This process's folder among the temporary ones, while it has scratch folders: they lie in it. On Linux it is locked (flock(2)): so other hosts know that this one lives, in every namespace that shares the folder, and systemd-tmpfiles leaves it alone;
/// the kernel lets go of it however a process ends. What hosts that were killed have left behind is deleted by the next one. Elsewhere it stays.
/// </summary>
/// <param name="root">The folder for what is temporary.</param>
internal sealed class HostFolder(string root)
{
    private const string Prefix = "processpool-host-";
    private const int Attempts = 10;

    // Others may pass through it, for sandboxes of another user, and not look around.
    private const UnixFileMode Mode = (UnixFileMode)0b111_001_001;
    private const UnixFileMode ScratchMode = (UnixFileMode)0b111_000_000;

    private readonly Lock _gate = new();
    private string? _path;
    private SafeFileHandle? _lock;
    private int _count;
    private int _hasSwept;

    /// <summary>The process's own.</summary>
    public static HostFolder Own { get; } = new(Path.GetTempPath());

    /// <summary>Makes a scratch folder, which only its owner may look into.</summary>
    public string Take()
    {
        lock (_gate)
        {
            if (_path is null || !Directory.Exists(_path))
            {
                _lock?.Dispose();
                (_path, _lock) = Make();
            }

            var scratch = MakeFolder(Path.Combine(_path, Path.GetRandomFileName()), ScratchMode);
            _count++;
            return scratch;
        }
    }

    /// <summary>A scratch folder has been deleted.</summary>
    public void Release()
    {
        lock (_gate)
        {
            if (--_count > 0)
            {
                return;
            }

            try
            {
                // What could not be deleted keeps it; without its lock it is the next host's to try again.
                Directory.Delete(_path!);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Or somebody who cleans temporary folders was here before.
            }

            _lock?.Dispose();
            (_path, _lock) = (null, null);
        }
    }

    /// <summary>Once in a process, and while it does other things: deletes what others have left behind.</summary>
    public void SweepOnce(ILogger logger)
    {
        if (Interlocked.Exchange(ref _hasSwept, 1) == 0)
        {
            Task.Run(() => Sweep(logger)).Forget();
        }
    }

    /// <summary>Deletes the folders of hosts of this user that are gone.</summary>
    public void Sweep(ILogger logger)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            foreach (var folder in Directory.EnumerateDirectories(root, Prefix + "*"))
            {
                // What others have put there is not touched, and could lead anywhere. Held until it is gone: a host that has only just made it then makes another one.
                using var held = IsOwn(folder) ? Hold(folder, out _) : null;
                if (held is not null)
                {
                    ScratchDirectory.Delete(folder, logger);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            logger.ScratchLeft(exception, root);
        }
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

    [SupportedOSPlatform("linux")]
    private static bool IsOwn(string path) => FolderHandle.Look(path, out var status) == 0 && status.IsFolder && status.Owner == Confining.Linux.Interop.LibC.GetEffectiveUserId();

    // Null: another host has it, or it is gone.
    [SupportedOSPlatform("linux")]
    private static SafeFileHandle? Hold(string path, out int error)
    {
        error = FolderHandle.Open(path, out var folder);
        if (error != 0)
        {
            return null;
        }

        error = folder.HoldLock();

        // Another host may have deleted it between its opening and its locking.
        if (error == 0 && folder.Look(".\0"u8, out var held) == 0 && FolderHandle.Look(path, out var there) == 0 && there.IsSameAs(held))
        {
            return folder.Detach();
        }

        folder.Dispose();
        return null;
    }

    // Between its making and its locking another host may take it for one that was left behind, and delete it: then another one is made.
    private (string Path, SafeFileHandle? Lock) Make()
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var folder = Path.Combine(root, $"{Prefix}{Path.GetRandomFileName()}");
            try
            {
                MakeFolder(folder, Mode);
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException && attempt < Attempts - 1)
            {
                continue;
            }

            if (!OperatingSystem.IsLinux())
            {
                return (folder, null);
            }

            // Where a file system has no locks nobody can hold it, and nobody deletes it.
            var held = Hold(folder, out var error);
            if (held is not null || error is not (0 or ErrorNumber.NoEntry or ErrorNumber.WouldBlock))
            {
                return (folder, held);
            }
        }

        throw new IOException($"Folders made in {root} were deleted at once, {Attempts} times.");
    }
}
