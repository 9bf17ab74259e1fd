using System.IO.Enumeration;
using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;

namespace ProcessPool.Launch;

/// <summary>A worker's private working directory, deleted with it. Only its owner may look inside (on Unix).</summary>
internal sealed class ScratchDirectory(ILogger logger) : IDisposable
{
    private static readonly EnumerationOptions All = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

    public string Path { get; } = Directory.CreateTempSubdirectory("processpool-").FullName;

    /// <summary>The bytes of its files, until they are more than enough. Links are not followed; what is not readable, or changes meanwhile, is left out.</summary>
    public long SizeUpTo(long enough)
    {
        var total = 0L;
        try
        {
            foreach (var file in new FileSystemEnumerable<long>(Path, (ref entry) => entry.Length, All) { ShouldIncludePredicate = (ref entry) => !entry.IsDirectory })
            {
                total += file;
                if (total > enough)
                {
                    break;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The plugin has moved a folder away meanwhile, or the sandbox is gone.
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
