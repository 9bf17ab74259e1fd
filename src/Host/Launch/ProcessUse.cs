using System.Buffers.Text;
using System.Globalization;
using System.Runtime.Versioning;
using ProcessPool.Confining.Linux;
using ProcessPool.Launch.Interop;

namespace ProcessPool.Launch;

/// <summary>What a process uses, by the system's account: of itself, not of its children.</summary>
/// <param name="Resident">Resident memory in bytes; 0 when it is about to end and has given its memory back.</param>
/// <param name="Peak">The most it ever was; 0 where that is not known (macOS).</param>
/// <param name="Threads">Its threads.</param>
internal readonly record struct ProcessUse(long Resident, long Peak, int Threads)
{
    /// <summary>It lives, and what it uses cannot be read.</summary>
    public static readonly ProcessUse Unreadable = new(-1, -1, -1);

    /// <summary>Linux: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html; null when there is no such process.</summary>
    [SupportedOSPlatform("linux")]
    public static ProcessUse? OfLinuxProcess(int processId)
    {
        var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}");
        var use = Read(folder);
        return use is { Resident: 0, Threads: > 1 } ending ? OfOtherThread(folder, ending) : use;
    }

    /// <summary>The memory and threads of a status file. The name comes first, and is the plugin's choice: but for line feeds, which are escaped, anything may be in it.</summary>
    public static ProcessUse Parse(ReadOnlySpan<byte> status) => new(Number(status, "\nVmRSS:"u8) * 1024, Number(status, "\nVmHWM:"u8) * 1024, (int)Number(status, "\nThreads:"u8));

    // A process whose first thread has ended shows no memory there, though its other threads live. When one of them shows none either, the process ends; when they end before they are read, it may live on in others.
    [SupportedOSPlatform("linux")]
    private static ProcessUse? OfOtherThread(string folder, ProcessUse ending)
    {
        try
        {
            var without = 0;
            foreach (var thread in Directory.EnumerateDirectories(folder + "/task"))
            {
                if (Read(thread) is { Resident: >= 0 } use)
                {
                    if (use.Resident > 0)
                    {
                        return use;
                    }

                    without++;
                }
            }

            return without > 1 ? ending : Unreadable;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception is DirectoryNotFoundException ? null : Unreadable;
        }
    }

    [SupportedOSPlatform("linux")]
    private static ProcessUse? Read(string folder) => ProcFile.Read(folder + "/status", out var status) switch
    {
        0 => Parse(status),
        ErrorNumber.NoEntry or ErrorNumber.NoProcess => null,
        _ => Unreadable,
    };

    // "VmRSS:	   12345 kB"
    private static long Number(ReadOnlySpan<byte> status, ReadOnlySpan<byte> name) =>
        status.IndexOf(name) is >= 0 and var at && Utf8Parser.TryParse(status[(at + name.Length)..].TrimStart("\t "u8), out long number, out _) ? number : 0;
}
