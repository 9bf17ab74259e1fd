using System.Globalization;

namespace ProcessPool.Protocol;

/// <summary>
/// The debugger's pipes and the diagnostics socket that the .NET runtime makes in the temporary folder. A process that is killed
/// leaves them: three files for each worker that crashes. Linux only; elsewhere the runtime does it otherwise, or the folder is the system's to clean.
/// </summary>
internal static class DiagnosticFiles
{
    private const int StartTimeField = 19;

    /// <summary>Deletes those of a process that is gone.</summary>
    /// <param name="temporaryFolder">The process's own.</param>
    /// <param name="processId">Its id.</param>
    /// <param name="key">Its <see cref="KeyOf"/>, read while it lived.</param>
    public static void Delete(string temporaryFolder, int processId, string? key)
    {
        if (key is null)
        {
            return;
        }

        // https://github.com/dotnet/diagnostics/blob/main/documentation/design-docs/ipc-protocol.md
        foreach (var name in new[] { $"dotnet-diagnostic-{processId}-{key}-socket", $"clr-debug-pipe-{processId}-{key}-in", $"clr-debug-pipe-{processId}-{key}-out" })
        {
            try
            {
                File.Delete(Path.Combine(temporaryFolder, name));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Nothing depends on it.
            }
        }
    }

    /// <summary>What tells a process from others of its id: when it started, in the system's ticks. Null when that is unknown.</summary>
    public static string? KeyOf(int processId)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            // The name, in parentheses, may hold spaces and parentheses: count from the last one.
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[StartTimeField];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or IndexOutOfRangeException)
        {
            return null;
        }
    }
}
