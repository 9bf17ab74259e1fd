using System.Runtime.Versioning;
using ProcessPool.Confining.Linux;

namespace ProcessPool.Unit.Tests.Confinement;

/// <summary>The report says what was tried and seen, never what was asked for.</summary>
public sealed class ReportTests
{
    private static readonly ThreadView Confined = new(HasNoNewPrivileges: true, IsFiltered: true, HasCapabilities: false, Ids: [0, 0, 0, 0, 0, 0, 0, 0]);

    [Fact]
    public void What_was_refused_everywhere_with_the_right_error_is_enforced()
    {
        var report = Make(ConfinementPolicy.Strict);
        Assert.True(report.IsProven);
        Assert.All(report.Layers.Where(layer => layer.State != LayerState.NotAsked), layer => Assert.True(layer.State == LayerState.Enforced, $"{layer}"));
        Assert.Null(ConfinementException.If(report, new FaultSite("p")));
    }

    [Theory]
    [InlineData("finalizer.read", 0, ConfinementLayer.Files, "'read' succeeded on the finalizer thread")]
    [InlineData("main.make", 30, ConfinementLayer.Files, "ended with error 30, expected 13")]
    [InlineData("pool.socket", 0, ConfinementLayer.Network, "'socket' succeeded on the pool thread")]
    [InlineData("new.fork", 22, ConfinementLayer.ChildProcesses, "ended with error 22, expected 13")]
    [InlineData("main.signal", 0, ConfinementLayer.OtherProcesses, "'signal' succeeded")]
    [InlineData("main.memory", 14, ConfinementLayer.SharedMemory, "error 14")]
    public void One_attempt_that_was_not_refused_as_it_should_be_is_a_layer_that_does_not_hold(string attempt, int error, ConfinementLayer layer, string reason)
    {
        var report = Make(ConfinementPolicy.Strict, proof => proof.Attempts[attempt] = error);
        Assert.Equal(LayerState.Unavailable, report[layer].State);
        Assert.Contains(reason, report[layer].Reason);
        var refused = ConfinementException.If(report, new FaultSite("p"))!;
        Assert.Contains($"Strict requires {layer}, but ", refused.Message);
        Assert.Same(report, refused.Report);
    }

    [Fact]
    public void An_attempt_that_was_not_made_proves_nothing() =>
        Assert.Equal(LayerState.Unavailable, Make(ConfinementPolicy.Restricted, proof => proof.Attempts.Remove("finalizer.read"))[ConfinementLayer.Files].State);

    [Fact]
    public void A_kernel_without_Landlock_is_named_and_best_effort_loads_the_plugin_all_the_same()
    {
        var report = Make(ConfinementPolicy.Restricted, proof => proof.Errors["landlock"] = 38, landlockAbi: 0);
        Assert.Contains("Linux 5.13", report[ConfinementLayer.Files].Reason);
        Assert.NotNull(ConfinementException.If(report, new FaultSite("p")));
        var bestEffort = ConfinementPolicy.Restricted with { Weakenings = [Weakening.BestEffort(ConfinementLayer.Files), Weakening.BestEffort(ConfinementLayer.Gpu), Weakening.BestEffort(ConfinementLayer.OtherProcesses)] };
        report = Make(bestEffort, proof => proof.Errors["landlock"] = 38, landlockAbi: 0);
        Assert.Equal(LayerState.Unavailable, report[ConfinementLayer.Files].State);
        Assert.Null(ConfinementException.If(report, new FaultSite("p")));
    }

    [Fact]
    public void A_filter_that_was_refused_takes_all_of_its_layers_with_it()
    {
        var report = Make(ConfinementPolicy.Restricted, proof => proof.Errors["seccomp"] = 22);
        Assert.All([ConfinementLayer.Network, ConfinementLayer.ChildProcesses, ConfinementLayer.OtherProcesses, ConfinementLayer.Kernel], layer => Assert.Contains("seccomp", report[layer].Reason));
    }

    [Theory]
    [InlineData(false, true, false)]
    [InlineData(true, false, false)]
    [InlineData(true, true, true)]
    public void What_the_host_sees_of_one_thread_counts_more_than_what_the_sandbox_says(bool noNewPrivileges, bool filtered, bool capabilities)
    {
        var report = Make(ConfinementPolicy.Restricted, threads: [Confined, new ThreadView(noNewPrivileges, filtered, capabilities, Confined.Ids)]);
        Assert.Equal(LayerState.Unavailable, report[ConfinementLayer.Kernel].State);
    }

    [Fact]
    public void Ports_need_a_kernel_that_tells_them_apart_and_leave_a_gap()
    {
        var policy = ConfinementPolicy.Restricted with { Weakenings = [Weakening.ConnectTo(443)] };
        Assert.Contains("Linux 6.7", Make(policy, landlockAbi: 3)[ConfinementLayer.Network].Reason);
        Assert.Equal((LayerState.Partial, "datagrams (UDP) go to every port"), (Make(policy)[ConfinementLayer.Network].State, Make(policy)[ConfinementLayer.Network].Reason));
    }

    [Fact]
    public void A_limit_that_the_process_does_not_have_is_not_reported_as_one()
    {
        var policy = ConfinementPolicy.Strict with { MaxOpenFiles = 100, MaxFileBytes = 1_000 };
        var report = Make(policy, limits: new() { ["Max open files"] = 1_048_576, ["Max file size"] = 1_000 });
        Assert.Equal((LayerState.Unavailable, LayerState.Enforced), (report[ConfinementLayer.OpenFiles].State, report[ConfinementLayer.FileSize].State));
    }

    [Fact]
    public void A_rate_without_a_control_group_is_refused_and_threads_are_watched_instead()
    {
        var policy = ConfinementPolicy.Restricted with { MaxThreads = 100, CpuRate = 0.5, MaxScratchBytes = 1_000 };
        var report = Make(policy);
        Assert.Equal(
            [LayerState.Partial, LayerState.Unavailable, LayerState.Partial],
            new[] { ConfinementLayer.Threads, ConfinementLayer.CpuRate, ConfinementLayer.Scratch }.Select(layer => report[layer].State));
        Assert.Contains("Delegate=yes", ConfinementException.If(report, new FaultSite("p"))!.Message);
        report = Make(policy, isGrouped: _ => true);
        Assert.Equal((LayerState.Enforced, LayerState.Enforced), (report[ConfinementLayer.Threads].State, report[ConfinementLayer.CpuRate].State));
    }

    [Fact]
    public void Another_user_is_one_on_every_thread_and_in_every_respect()
    {
        var policy = ConfinementPolicy.Restricted with { UserId = 7 };
        var other = Confined with { Ids = [7, 7, 7, 7, 7, 7, 7, 7] };
        Assert.Equal(LayerState.Enforced, Make(policy, threads: [other, other])[ConfinementLayer.User].State);
        Assert.NotEmpty(Make(policy, threads: [other, Confined])[ConfinementLayer.User].Reason);
        Assert.Equal(LayerState.Unavailable, Make(policy, threads: [other, other with { Ids = [7, 7, 0, 7, 7, 7, 7, 7] }])[ConfinementLayer.User].State);
        Assert.Equal(LayerState.Unavailable, Make(policy, threads: [other with { Ids = [.. other.Ids, 7] }])[ConfinementLayer.User].State);
    }

    [Theory]
    [InlineData(0xFFFF_FFFF, "")]
    [InlineData(0xA80425FB, "CAP_SYS_PTRACE")]
    [InlineData(0x0000_0000, "CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SYS_PTRACE")]
    [SupportedOSPlatform("linux")]
    public void What_it_takes_to_give_a_sandbox_another_user_is_named_where_it_is_missing(uint capabilities, string missing)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Capabilities are Linux's.");
        Assert.Equal(missing, string.Join(", ", Capabilities.FindMissing(capabilities)));
    }

    [Fact]
    public void Without_a_single_thread_in_sight_nothing_is_filtered() =>
        Assert.Equal(LayerState.Unavailable, Make(ConfinementPolicy.Restricted, threads: [])[ConfinementLayer.ChildProcesses].State);

    [Fact]
    public void An_open_file_that_is_not_the_pools_is_named()
    {
        var report = new ReportMaker(ConfinementPolicy.Limits, null, new ProcessView([Confined], new Dictionary<string, long>(), []), gpuIsOff: true, ["/etc/shadow"]).Make();
        Assert.Contains("/etc/shadow", report[ConfinementLayer.Descriptors].Reason);
    }

    private static ConfinementReport Make(
        ConfinementPolicy policy, Action<(Dictionary<string, int> Errors, Dictionary<string, int> Attempts)>? alter = null, int landlockAbi = 7, ThreadView[]? threads = null, Dictionary<string, long>? limits = null,
        Func<ConfinementLayer, bool>? isGrouped = null)
    {
        var (errors, attempts) = (new Dictionary<string, int>(), new Dictionary<string, int>());
        foreach (var thread in ConfinementProof.Threads)
        {
            foreach (var (what, error) in new[] { ("read", 13), ("make", 13), ("socket", 13), ("datagram", 13), ("fork", 13), ("execute", 13), ("memory", 1), ("mode", 1), ("signal", 1), ("trace", 1) })
            {
                attempts[$"{thread}.{what}"] = error;
            }
        }

        alter?.Invoke((errors, attempts));
        var proof = ConfinementProof.Read(new ConfinementProof(landlockAbi, errors, attempts).Write());
        return new ReportMaker(policy, proof, new ProcessView(threads ?? [Confined], limits ?? [], []), gpuIsOff: true, [], isGrouped).Make();
    }
}
