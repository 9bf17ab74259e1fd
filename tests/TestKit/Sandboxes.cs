using System.Globalization;

namespace ProcessPool.TestKit;

/// <summary>The sandbox processes below a process, as Linux sees them.</summary>
public static class Sandboxes
{
    /// <summary>Ids of living sandboxes that a process started.</summary>
    public static IReadOnlyList<int> Of(int parent) =>
    [
        .. from directory in Directory.GetDirectories("/proc")
           let name = Path.GetFileName(directory)
           where int.TryParse(name, CultureInfo.InvariantCulture, out _)
           let stat = Read(directory + "/stat")
           where stat is not null && Parent(stat) == parent && !IsZombie(stat)
           where Read(directory + "/cmdline")?.Contains("ProcessPool.Sandbox.dll", StringComparison.Ordinal) == true
           select int.Parse(name, CultureInfo.InvariantCulture),
    ];

    /// <summary>Whether a process exists and is no zombie.</summary>
    public static bool IsAlive(int processId) => Read($"/proc/{processId}/stat") is { } stat && !IsZombie(stat);

    /// <summary>How many children of a process ended and were not collected.</summary>
    public static int ZombiesOf(int parent) =>
        Directory.GetDirectories("/proc").Count(directory => int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out _)
            && Read(directory + "/stat") is { } stat && Parent(stat) == parent && IsZombie(stat));

    /// <summary>Ids of living processes with a variable in their environment, such as <c>NAME=value</c>.</summary>
    public static IReadOnlyList<int> Marked(string variable) =>
    [
        .. from directory in Directory.GetDirectories("/proc")
           let name = Path.GetFileName(directory)
           where int.TryParse(name, CultureInfo.InvariantCulture, out _)
           where Read(directory + "/environ")?.Split('\0').Contains(variable) == true
           select int.Parse(name, CultureInfo.InvariantCulture),
    ];

    /// <summary>SIGKILL from outside. Whether there was such a process.</summary>
    public static bool Kill(int processId)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(processId);
            process.Kill();
            return true;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    private static string[] Fields(string stat) => stat[(stat.LastIndexOf(')') + 2)..].Split(' ');

    private static bool IsZombie(string stat) => Fields(stat)[0] == "Z";

    private static int Parent(string stat) => int.Parse(Fields(stat)[1], CultureInfo.InvariantCulture);

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
