using System.Globalization;
using System.Runtime.Versioning;

namespace ProcessPool.Confining.Linux;

/// <summary>
/// A control group (version 2) of one sandbox: it bounds what a process's own limits cannot, for all that it starts, and ends all of it at once. The group is made beside the one that the host is in, because a group with processes of its own cannot
/// share out anything: with systemd <c>Delegate=yes</c> and <c>DelegateSubgroup=host</c>. Source: the kernel's Documentation/admin-guide/cgroup-v2.rst. The controllers were never run here: tested with folders that look like them.
/// </summary>
internal sealed class ControlGroup : IDisposable
{
    private const int PeriodMicroseconds = 100_000;
    private const int Attempts = 20;

    // The kernel keeps whole pages, and what it keeps is compared with what was asked for.
    private const int LargestPage = 65_536;
    private const string OwnName = "host";

    private readonly string _folder;

    private ControlGroup(string folder) => _folder = folder;

    /// <summary>The folder in which groups can be made; null: there is none.</summary>
    public static string? Parent { get; } = OperatingSystem.IsLinux() ? FindParent(OwnGroups(), ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]) : null;

    /// <summary>What a policy asks of a group: file and content.</summary>
    public static IReadOnlyList<(ConfinementLayer Layer, string Controller, string File, string Content)> LimitsOf(ConfinementPolicy policy)
    {
        var limits = new List<(ConfinementLayer, string, string, string)>();
        if (policy.MemoryLimit is { } memory)
        {
            limits.Add((ConfinementLayer.Memory, "memory", "memory.max", ((memory + ConfinementPolicy.BesidePrivateMemory) / LargestPage * LargestPage).ToString(CultureInfo.InvariantCulture)));
        }

        if (policy.MaxThreads is { } threads)
        {
            limits.Add((ConfinementLayer.Threads, "pids", "pids.max", threads.ToString(CultureInfo.InvariantCulture)));
        }

        if (policy.CpuRate is { } rate)
        {
            limits.Add((ConfinementLayer.CpuRate, "cpu", "cpu.max", string.Create(CultureInfo.InvariantCulture, $"{(long)(rate * PeriodMicroseconds)} {PeriodMicroseconds}")));
        }

        return limits;
    }

    /// <summary>Makes a group with the limits of a policy.</summary>
    /// <param name="parent">Where.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="policy">The policy.</param>
    /// <returns>Null when there is nothing to bound, or the parent shares nothing out that would.</returns>
    /// <exception cref="IOException">The kernel refuses.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder is another user's.</exception>
    public static ControlGroup? Make(string parent, string name, ConfinementPolicy policy)
    {
        var limits = LimitsOf(policy);
        if (limits.Count == 0)
        {
            return null;
        }

        var offered = Words(Path.Combine(parent, "cgroup.controllers"));
        var shared = limits.Where(limit => offered.Contains(limit.Controller) && Share(parent, limit.Controller)).ToList();
        if (shared.Count == 0)
        {
            return null;
        }

        var folder = Path.Combine(parent, name);
        Directory.CreateDirectory(folder);
        var group = new ControlGroup(folder);
        try
        {
            foreach (var limit in shared)
            {
                File.WriteAllText(Path.Combine(folder, limit.File), limit.Content);
            }

            return group;
        }
        catch
        {
            group.Dispose();
            throw;
        }
    }

    /// <summary>Puts a process into it, and with it all that it will start.</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public void Add(int processId) => File.WriteAllText(Path.Combine(_folder, "cgroup.procs"), processId.ToString(CultureInfo.InvariantCulture));

    /// <summary>Whether a process is in it and it has the limit: looked at, not remembered.</summary>
    public bool Bounds(int processId, ConfinementPolicy policy, ConfinementLayer layer)
    {
        try
        {
            return LimitsOf(policy).Any(limit => limit.Layer == layer && Words(Path.Combine(_folder, limit.File)).SequenceEqual(limit.Content.Split(' ')))
                && Words(Path.Combine(_folder, "cgroup.procs")).Contains(processId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Ends all that is in it.</summary>
    public void Kill()
    {
        try
        {
            // Linux 5.14.
            if (File.Exists(Path.Combine(_folder, "cgroup.kill")))
            {
                File.WriteAllText(Path.Combine(_folder, "cgroup.kill"), "1");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It has been removed.
        }
    }

    /// <summary>Ends whatever is left in it, and removes it.</summary>
    public void Dispose()
    {
        Kill();
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                // Its files are no files: a folder that has no groups in it is empty.
                Directory.Delete(_folder);
                return;
            }
            catch (DirectoryNotFoundException)
            {
                return;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // What was killed takes a moment to end. If it takes longer, an empty group costs nothing, and goes with the service.
                Thread.Sleep(1);
            }
        }
    }

    // "0::/system.slice/some.service/host": beside it others can be made. By its name the owner of the service says that it is meant so: beside any other group sandboxes would leave what bounds their host.
    internal static string? FindParent(string groups, IEnumerable<string> mounts)
    {
        var own = groups.Split('\n').FirstOrDefault(line => line.StartsWith("0::/", StringComparison.Ordinal))?[4..];
        var mount = mounts.FirstOrDefault(folder => File.Exists(Path.Combine(folder, "cgroup.controllers")));
        return own is null || mount is null || own.Split('/').Contains("..") || Path.GetFileName(own) != OwnName ? null : Path.GetDirectoryName(Path.Combine(mount, own));
    }

    // One that cannot be shared out is not to cost the other one its limit.
    private static bool Share(string parent, string controller)
    {
        try
        {
            var file = Path.Combine(parent, "cgroup.subtree_control");
            if (!Words(file).Contains(controller))
            {
                File.WriteAllText(file, "+" + controller);
            }

            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string OwnGroups()
    {
        try
        {
            return File.ReadAllText("/proc/self/cgroup");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string[] Words(string path) => File.ReadAllText(path).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
}
