using ProcessPool.Confining.Linux;

namespace ProcessPool.Unit.Tests.Confinement;

/// <summary>Control groups, with folders that look like the kernel's: no machine at hand shares the controllers out.</summary>
public sealed class ControlGroupTests : IDisposable
{
    private readonly string _mount = Directory.CreateTempSubdirectory("processpool-tests-").FullName;

    public void Dispose() => Directory.Delete(_mount, recursive: true);

    [Fact]
    public void Groups_are_made_beside_the_hosts_own()
    {
        Offer(_mount, "cpu pids");
        Assert.Equal(Path.Combine(_mount, "system.slice/some.service"), ControlGroup.FindParent("9:cpu:/x\n0::/system.slice/some.service/host\n", [Path.Combine(_mount, "none"), _mount]));
        Assert.Null(ControlGroup.FindParent("0::/\n", [_mount]));
        Assert.Null(ControlGroup.FindParent("0::/system.slice/some.service\n", [_mount]));
        Assert.Null(ControlGroup.FindParent("9:cpu:/x\n", [_mount]));
        Assert.Null(ControlGroup.FindParent("0::/../host\n", [_mount]));
        Assert.Null(ControlGroup.FindParent("0::/a/host\n", [Path.Combine(_mount, "none")]));
    }

    [Fact]
    public void A_group_has_the_limits_of_the_policy_and_the_process()
    {
        Offer(_mount, "cpuset cpu pids");
        var policy = ConfinementPolicy.Limits with { MaxThreads = 100, CpuRate = 1.5 };
        using var group = ControlGroup.Make(_mount, "worker", policy)!;
        group.Add(4711);
        Assert.Equal(["100", "150000 100000", "4711"], new[] { "pids.max", "cpu.max", "cgroup.procs" }.Select(file => File.ReadAllText(Path.Combine(_mount, "worker", file))));
        // The kernel adds them up; a file keeps the last.
        Assert.Equal("+cpu", File.ReadAllText(Path.Combine(_mount, "cgroup.subtree_control")));
        Assert.True(group.Bounds(4711, policy, ConfinementLayer.Threads) && group.Bounds(4711, policy, ConfinementLayer.CpuRate));
    }

    [Fact]
    public void Memory_is_bounded_in_whole_pages_with_room_for_what_is_not_private()
    {
        Offer(_mount, "memory");
        var policy = ConfinementPolicy.Limits with { MemoryLimit = 300_000_000 };
        using var group = ControlGroup.Make(_mount, "worker", policy)!;
        group.Add(4711);
        var limit = long.Parse(File.ReadAllText(Path.Combine(_mount, "worker", "memory.max")), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(0, limit % 65_536);
        Assert.InRange(limit, 300_000_000 + (127L << 20), 300_000_000 + (128L << 20));
        Assert.True(group.Bounds(4711, policy, ConfinementLayer.Memory), "Expected the limit to be found as it was written.");
    }

    [Fact]
    public void A_limit_that_is_not_there_any_more_and_a_process_that_has_left_are_not_bounded()
    {
        Offer(_mount, "pids");
        var policy = ConfinementPolicy.Limits with { MaxThreads = 100, CpuRate = 1 };
        using var group = ControlGroup.Make(_mount, "worker", policy)!;
        group.Add(4711);
        Assert.False(group.Bounds(4711, policy, ConfinementLayer.CpuRate), "Nothing shares processors out here.");
        Assert.False(group.Bounds(4712, policy, ConfinementLayer.Threads), "Another process is in it.");
        File.WriteAllText(Path.Combine(_mount, "worker", "pids.max"), "max");
        Assert.False(group.Bounds(4711, policy, ConfinementLayer.Threads), "Somebody has taken the limit away.");
    }

    [Fact]
    public void What_is_left_in_a_group_is_ended_with_it()
    {
        Offer(_mount, "pids");
        var group = ControlGroup.Make(_mount, "worker", ConfinementPolicy.Limits with { MaxThreads = 100 })!;
        var kill = Path.Combine(_mount, "worker", "cgroup.kill");
        File.WriteAllText(kill, "");
        group.Kill();
        Assert.Equal("1", File.ReadAllText(kill));

        // The kernel's files do not keep a folder from being removed; these do.
        Array.ForEach(Directory.GetFiles(Path.Combine(_mount, "worker")), File.Delete);
        group.Dispose();
        Assert.False(Directory.Exists(Path.Combine(_mount, "worker")));
        group.Dispose();
    }

    [Fact]
    public void No_group_is_made_where_nothing_is_to_be_bounded_or_nothing_is_shared_out()
    {
        Offer(_mount, "hugetlb");
        Assert.Null(ControlGroup.Make(_mount, "worker", ConfinementPolicy.Limits with { MaxThreads = 100, CpuRate = 1 }));
        Offer(_mount, "cpu pids");
        Assert.Null(ControlGroup.Make(_mount, "worker", ConfinementPolicy.Limits with { MaxOpenFiles = 100 }));
        Assert.False(Directory.Exists(Path.Combine(_mount, "worker")));
    }

    private static void Offer(string folder, string controllers)
    {
        File.WriteAllText(Path.Combine(folder, "cgroup.controllers"), controllers + "\n");
        File.WriteAllText(Path.Combine(folder, "cgroup.subtree_control"), "");
    }
}
