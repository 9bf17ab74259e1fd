using System.Globalization;

namespace ProcessPool.Launch;

/// <summary>What a process uses.</summary>
/// <param name="Resident">Resident memory in bytes.</param>
/// <param name="Peak">The most it ever was.</param>
/// <param name="Threads">Its threads; 0 where that is not known.</param>
internal readonly record struct ProcessUse(long Resident, long Peak, int Threads)
{
    /// <summary>Linux: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html; null when the process is gone.</summary>
    public static ProcessUse? OfLinuxProcess(int processId)
    {
        try
        {
            long resident = 0, peak = 0;
            var threads = 0;
            foreach (var line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/status")))
            {
                if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
                {
                    peak = Bytes(line);
                }
                else if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                {
                    resident = Bytes(line);
                }
                else if (line.StartsWith("Threads:", StringComparison.Ordinal))
                {
                    threads = int.Parse(line.AsSpan("Threads:".Length), NumberStyles.Integer, CultureInfo.InvariantCulture);
                    break;
                }
            }

            // A process whose first thread has ended shows no memory there, though its other threads live.
            return resident > 0 || threads <= 1 ? (resident > 0 ? new ProcessUse(resident, peak, threads) : null) : OfOtherThread(processId, threads);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static ProcessUse? OfOtherThread(int processId, int threads)
    {
        foreach (var task in Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/task")))
        {
            if (File.ReadLines(task + "/status").FirstOrDefault(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)) is { } line)
            {
                return new ProcessUse(Bytes(line), Bytes(line), threads);
            }
        }

        return null;
    }

    // "VmRSS:	   12345 kB"
    private static long Bytes(string line) => long.Parse(line.AsSpan(6, line.Length - 9), NumberStyles.Integer, CultureInfo.InvariantCulture) * 1024;
}
