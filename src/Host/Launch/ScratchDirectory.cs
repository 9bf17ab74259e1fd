using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;

namespace ProcessPool.Launch;

/// <summary>A worker's private working directory, deleted with it. Only its owner may look inside (on Unix).</summary>
internal sealed class ScratchDirectory(ILogger logger) : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("processpool-").FullName;

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
