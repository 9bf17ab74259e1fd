using ProcessPool.Launch.Interop;

namespace ProcessPool.Cli.Output;

/// <summary>Files that nobody else writes at the same time.</summary>
internal static class OwnFile
{
    // EWOULDBLOCK of Linux and of macOS, and ERROR_SHARING_VIOLATION.
    private static readonly int[] InUse = [11, 35, unchecked((int)0x80070020)];

    /// <summary>Whether it is a device, such as <c>/dev/null</c>: what is written to it is not there afterwards. Linux only; false elsewhere.</summary>
    /// <param name="path">An absolute path without links.</param>
    public static bool IsDevice(string path) => OperatingSystem.IsLinux() && FolderHandle.Look(path, out var status) == 0 && status.IsCharacterDevice;

    /// <summary>The absolute path, without a link at its end.</summary>
    public static string Resolved(string path) => (File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null) ?? Path.GetFullPath(path);

    /// <summary>Opens a file, or makes it, and locks it. A device is everybody's.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="what">What it is, for errors: "the output".</param>
    /// <param name="access">For what.</param>
    /// <exception cref="UsageException">It is in use, or cannot be opened.</exception>
    public static FileStream Open(string path, string what, FileAccess access)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, access, IsDevice(Resolved(path)) ? FileShare.ReadWrite : FileShare.None, bufferSize: 0);
        }
        catch (IOException exception) when (InUse.Contains(exception.HResult))
        {
            throw new UsageException($"'{path}' is in use, probably by another processpool: wait until it has ended, or give another file for {what}.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"'{path}' cannot be opened for {what}: {exception.Message}");
        }
    }
}
