using System.IO.Enumeration;
using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;

namespace ProcessPool.Launch;

/// <summary>A worker's private working directory, deleted with it. Only its owner may look inside (on Unix).</summary>
internal sealed class ScratchDirectory(ILogger logger) : IDisposable
{
    // Looking at so many takes about half a second.
    private const int MostEntries = 100_000;

    // What bytes that are no UTF-8 are read as.
    private const char NoText = '\uFFFD';

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };

    public string Path { get; } = Directory.CreateTempSubdirectory("processpool-").FullName;

    /// <summary>The bytes of its files, until they are more than enough. Links are not followed. What cannot be looked through (very many files, names that are no text, a folder that is closed to this user) counts as more than anything.</summary>
    public long SizeUpTo(long enough)
    {
        var (total, left) = (0L, MostEntries);
        var folders = new Stack<string>([Path]);
        while (folders.TryPop(out var folder) && total <= enough)
        {
            try
            {
                foreach (var (name, length, isFolder) in new FileSystemEnumerable<(string Name, long Length, bool IsFolder)>(folder, (ref entry) => (entry.FileName.ToString(), entry.IsDirectory ? 0 : entry.Length, entry.IsDirectory), Everything))
                {
                    if (--left < 0 || name.Contains(NoText))
                    {
                        return long.MaxValue;
                    }

                    total += length;
                    if (isFolder)
                    {
                        folders.Push(System.IO.Path.Combine(folder, name));
                    }
                }
            }
            catch (DirectoryNotFoundException)
            {
                // Deleted or renamed meanwhile, or the sandbox is gone.
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return long.MaxValue;
            }
        }

        return total;
    }

    public void Dispose()
    {
        try
        {
            // Links inside are deleted, not followed.
            Directory.Delete(Path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // The plugin deleted it.
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            logger.ScratchLeft(exception, Path);
        }
    }
}
