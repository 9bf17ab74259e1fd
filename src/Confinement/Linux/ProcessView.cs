using System.Globalization;
using System.Runtime.Versioning;

namespace ProcessPool.Confining.Linux;

/// <summary>What /proc says of another process: the host's own look at a sandbox, which the sandbox has no say in. Source: proc(5).</summary>
/// <param name="Threads">Of each thread: whether it can gain privileges, how its system calls are filtered, its capabilities.</param>
/// <param name="Limits">The hard limits by their names; the largest number when there is none.</param>
/// <param name="OpenFiles">What its descriptors refer to.</param>
internal sealed record ProcessView(IReadOnlyList<ThreadView> Threads, IReadOnlyDictionary<string, long> Limits, IReadOnlyList<string> OpenFiles)
{
    // A sandbox that has more of them than that has strange ones too.
    private const int MostDescriptors = 4_096;
    private const string Unlimited = "unlimited";

    /// <summary>Looks at a process.</summary>
    /// <exception cref="IOException">It has ended.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    [SupportedOSPlatform("linux")]
    public static ProcessView Of(int processId)
    {
        var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}");
        var descriptors = Directory.GetFileSystemEntries(folder + "/fd");
        string[] openFiles = [.. descriptors.Take(MostDescriptors).Select(TryReadLink).OfType<string>()];
        if (descriptors.Length > 0 && openFiles.Length == 0)
        {
            // The pool's own pipes would be among them.
            throw new UnauthorizedAccessException($"What the descriptors of process {processId} refer to cannot be read.");
        }

        return new ProcessView(
            [.. Directory.GetDirectories(folder + "/task").Select(thread => TryRead(thread + "/status")).OfType<string>().Select(ThreadView.Parse)],
            ParseLimits(File.ReadAllLines(folder + "/limits")),
            openFiles);
    }

    internal static Dictionary<string, long> ParseLimits(IEnumerable<string> lines)
    {
        // Name, soft limit, hard limit, unit: columns of 26, 21 and 21 characters.
        var limits = new Dictionary<string, long>();
        foreach (var line in lines.Skip(1).Where(line => line.Length >= 60))
        {
            var hard = line[47..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
            limits[line[..26].Trim()] = hard == Unlimited ? long.MaxValue : long.Parse(hard, CultureInfo.InvariantCulture);
        }

        return limits;
    }

    private static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            // The thread has ended meanwhile.
            return null;
        }
    }

    private static string? TryReadLink(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }
}

/// <summary>One thread.</summary>
/// <param name="HasNoNewPrivileges">Whether a program that it executes can gain privileges.</param>
/// <param name="IsFiltered">Whether its system calls are.</param>
/// <param name="HasCapabilities">Whether it has any.</param>
/// <param name="Ids">Its user and group ids: real, effective, saved, of the file system; then those of further groups.</param>
internal sealed record ThreadView(bool HasNoNewPrivileges, bool IsFiltered, bool HasCapabilities, IReadOnlyList<long> Ids)
{
    public static ThreadView Parse(string status)
    {
        var fields = status.Split('\n').Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2).ToLookup(pair => pair[0], pair => pair[1].Trim());
        return new ThreadView(
            fields["NoNewPrivs"].SingleOrDefault() == "1",
            fields["Seccomp"].SingleOrDefault() == "2",
            fields["CapEff"].Concat(fields["CapPrm"]).Any(capabilities => capabilities.Any(digit => digit != '0')),
            [.. fields["Uid"].Concat(fields["Gid"]).Concat(fields["Groups"]).SelectMany(ids => ids.Split(['\t', ' '], StringSplitOptions.RemoveEmptyEntries)).Select(id => long.Parse(id, CultureInfo.InvariantCulture))]);
    }
}
