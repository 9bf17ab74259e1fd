using System.Diagnostics;
using System.Globalization;
using Microsoft.Diagnostics.NETCore.Client;
using ProcessPool.Cli.Output;

namespace ProcessPool.Cli.Top;

/// <summary>The .NET processes of this machine that can be asked.</summary>
internal static class DotnetProcesses
{
    private const int MaxCommandLine = 160;

    /// <summary>Whether there is such a process.</summary>
    public static bool Exists(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return !process.HasExited;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            return false;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is one, and it is nothing of ours.
            return true;
        }
    }

    /// <summary>Whether its runtime can be asked from outside.</summary>
    public static bool HasPort(int processId) => DiagnosticsClient.GetPublishedProcesses().Contains(processId);

    /// <summary>Those that may host pools: not this one, and no sandboxes.</summary>
    public static IReadOnlyList<int> Candidates() =>
    [
        .. DiagnosticsClient.GetPublishedProcesses().Distinct().Order()
            .Where(processId => processId != Environment.ProcessId && Exists(processId) && !Started(processId).Contains("ProcessPool.Sandbox.dll", StringComparison.Ordinal)),
    ];

    /// <summary>What it was started with, as it may go to a terminal; elsewhere than on Linux, its name. Empty when it has ended.</summary>
    public static string CommandLine(int processId)
    {
        var line = Started(processId);
        return PluginText.Clean(line.Length <= MaxCommandLine ? line : $"{line[..MaxCommandLine]}…");
    }

    private static string Started(int processId)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/cmdline")).TrimEnd('\0').Replace('\0', ' ');
            }

            using var process = Process.GetProcessById(processId);
            return process.ProcessName;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException)
        {
            return "";
        }
    }
}
