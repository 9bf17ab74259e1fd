using System.Buffers.Text;
using System.Globalization;
using System.Runtime.Versioning;
using ProcessPool.Launch.Interop;

namespace ProcessPool.Launch;

/// <summary>The processor time that a process has used, by the system's account: of itself, not of its children.</summary>
internal static class ProcessorTime
{
    // Of every Linux that .NET runs on: what the kernel counts inside differs, what it shows does not.
    private const long TicksPerSecond = 100;

    /// <summary>Linux: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; null when there is no such process, or it cannot be read.</summary>
    [SupportedOSPlatform("linux")]
    public static TimeSpan? OfLinuxProcess(int processId) => ProcFile.Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"), out var stat) == 0 ? Parse(stat) : null;

    /// <summary>The times of a stat file, in user code and in the kernel. The name in brackets is the plugin's choice: brackets and spaces may be in it.</summary>
    public static TimeSpan? Parse(ReadOnlySpan<byte> stat)
    {
        // Field 14 and 15; the one behind the name is the third.
        const int UserTime = 11;
        var rest = stat[(stat.LastIndexOf((byte)')') + 1)..].TrimStart((byte)' ');
        for (var field = 0; field < UserTime; field++)
        {
            rest = rest[(rest.IndexOf((byte)' ') + 1)..];
        }

        return Utf8Parser.TryParse(rest, out long user, out var length) && length < rest.Length && Utf8Parser.TryParse(rest[(length + 1)..], out long kernel, out _)
            ? TimeSpan.FromTicks((user + kernel) * (TimeSpan.TicksPerSecond / TicksPerSecond))
            : null;
    }
}
