using System.Globalization;
using System.Runtime.Versioning;
using System.Text;
using ProcessPool.Launch.Interop;

namespace ProcessPool.Launch;

/// <summary>
/// What a sandbox that died has left running. Descendants that left its process tree are still known by the mark in the environment they
/// inherited. Linux only; one that was started with a clean environment escapes.
/// </summary>
internal static class Leftovers
{
    private const int Rounds = 10;

    /// <summary>Kills every process that carries the mark.</summary>
    /// <param name="mark">A variable and its value, unique to the sandbox.</param>
    /// <returns>How many there were.</returns>
    public static int Kill(string mark)
    {
        var found = new HashSet<int>();
        var bytes = Encoding.UTF8.GetBytes(mark + '\0');

        // One may start another while it is being looked for.
        for (int round = 0, before = -1; OperatingSystem.IsLinux() && round < Rounds && found.Count > before; round++)
        {
            before = found.Count;
            foreach (var directory in Directory.EnumerateDirectories("/proc"))
            {
                if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id != Environment.ProcessId
                    && Carries(directory, bytes))
                {
                    // The handle first, then the mark once more: the number may belong to another process by now.
                    using var process = LibC.OpenProcess(id);
                    if (process is not null && Carries(directory, bytes))
                    {
                        LibC.Kill(process);
                        found.Add(id);
                    }
                }
            }
        }

        return found.Count;
    }

    // A variable ends with a zero byte. A zombie has none; another user's cannot be read.
    [SupportedOSPlatform("linux")]
    private static bool Carries(string directory, byte[] mark) => ProcFile.Read(directory + "/environ", out var environment) == 0 && environment.IndexOf(mark) >= 0;
}
