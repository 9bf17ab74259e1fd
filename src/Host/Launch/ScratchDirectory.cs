using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;

namespace ProcessPool.Launch;

/// <summary>A worker's private working directory, deleted with it. Only its owner may look inside (on Unix).</summary>
internal sealed class ScratchDirectory : IDisposable
{
    /// <summary>So many files are looked at. Measured (two shared processors, ext4, all in memory): 20,000 take 55 ms, in one folder or in a hundred; with a fifth of them as folders it is as long.</summary>
    internal const int MostEntries = 15_000;

    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };

    private readonly ILogger _logger;
    private readonly HostFolder _host;
    private bool _disposed;

    public ScratchDirectory(ILogger logger, HostFolder? host = null)
    {
        _logger = logger;
        _host = host ?? HostFolder.Own;
        Path = _host.Take();
    }

    public string Path { get; }

    /// <summary>Beside it, where the plugin cannot write: a file for the runtime's options.</summary>
    public string RuntimeOptions => Path + ".runtimeconfig.json";

    /// <summary>The bytes that its files hold or take, whichever is more, until they are more than enough. Links are not followed. What cannot be looked through (very many files, a folder that is closed to this user) counts as more than anything.</summary>
    public long SizeUpTo(long enough) => OperatingSystem.IsLinux() ? new ScratchSize(enough, MostEntries).Of(Path) : SizeElsewhere();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }

        Delete(Path, _logger);
        try
        {
            File.Delete(RuntimeOptions);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _logger.ScratchLeft(exception, RuntimeOptions);
        }

        _host.Release();
    }

    /// <summary>Deletes a folder that plugins have filled, and says so where it cannot.</summary>
    public static void Delete(string path, ILogger logger)
    {
        try
        {
            if (!OperatingSystem.IsLinux())
            {
                // Links inside are deleted, not followed.
                Directory.Delete(path, recursive: true);
            }
            else if (ScratchRemoval.Remove(path) is not 0 and var error)
            {
                throw new IOException(Marshal.GetPInvokeErrorMessage(error));
            }
        }
        catch (DirectoryNotFoundException)
        {
            // The plugin deleted it.
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            logger.ScratchLeft(exception, path);
        }
    }

    private long SizeElsewhere()
    {
        var (total, left) = (0L, MostEntries);
        try
        {
            foreach (var entry in new DirectoryInfo(Path).EnumerateFileSystemInfos("*", Everything))
            {
                total += (entry as FileInfo)?.Length ?? 0;
                if (--left < 0)
                {
                    return long.MaxValue;
                }
            }
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // Deleted or renamed meanwhile, or the sandbox is gone.
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return long.MaxValue;
        }

        return total;
    }
}
