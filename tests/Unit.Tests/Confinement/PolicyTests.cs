using ProcessPool.Confining;
using ProcessPool.Confining.Linux;

namespace ProcessPool.Unit.Tests.Confinement;

/// <summary>Policies that contradict themselves are refused, and good ones travel whole.</summary>
public sealed class PolicyTests
{
    [Fact]
    public void Every_fault_is_said_at_once_with_a_remedy()
    {
        var policy = ConfinementPolicy.Restricted with
        {
            ReadablePaths = ["relative", "/no/such/path"],
            Weakenings = [Weakening.Network, Weakening.ConnectTo(443)],
            MemoryLimit = 1,
            CpuTimeLimit = TimeSpan.Zero,
            MaxProcesses = 0,
            MaxOpenFiles = 3,
            MaxFileBytes = 0,
            MaxThreads = 63,
            CpuRate = double.NaN,
            MaxScratchBytes = 0,
            UserId = 0,
        };
        var message = Assert.Throws<ArgumentException>(() => new SandboxPool(new SandboxPoolOptions { Plugin = ".", Confinement = policy })).Message;
        Assert.All(
            ["'relative', which is not an absolute path", "/no/such/path, which does not exist", "leave one of them out", "128 MiB", "one second", "MaxProcesses is 0", "MaxOpenFiles is 3", "MaxFileBytes is 0", "MaxThreads is 63", "CpuRate is NaN", "MaxScratchBytes is 0", "UserId is 0"],
            fault => Assert.Contains(fault, message));
    }

    [Theory]
    [InlineData(ConfinementLevel.None)]
    [InlineData(ConfinementLevel.Limits)]
    public void Paths_and_weakenings_mean_nothing_below_Restricted(ConfinementLevel level)
    {
        var policy = level == ConfinementLevel.None ? ConfinementPolicy.None : ConfinementPolicy.Limits;
        Assert.Contains("take ConfinementPolicy.Restricted", Assert.Single((policy with { ReadablePaths = ["/"] }).Faults()));
        Assert.Contains("take ConfinementPolicy.Restricted", Assert.Single((policy with { Weakenings = [Weakening.Network] }).Faults()));
    }

    [Fact]
    public void Limits_at_level_None_are_refused() =>
        Assert.Contains("take ConfinementPolicy.Limits", Assert.Single((ConfinementPolicy.None with { MaxOpenFiles = 100 }).Faults()));

    [Fact]
    public void Below_Restricted_a_sandbox_stays_the_hosts_user() =>
        Assert.Contains("take ConfinementPolicy.Restricted", Assert.Single((ConfinementPolicy.Limits with { UserId = 1_000 }).Faults()));

    [Theory]
    [InlineData(0)]
    [InlineData(65_536)]
    public void A_port_that_is_none_is_refused(int port) => Assert.Throws<ArgumentOutOfRangeException>(() => Weakening.ConnectTo(80, port));

    [Fact]
    public void Confinement_does_not_go_with_debug_mode() =>
        Assert.Contains("there is no process to confine", Assert.Throws<ArgumentException>(() => new SandboxPool(new SandboxPoolOptions { Plugin = ".", Debug = true, Confinement = ConfinementPolicy.Strict })).Message);

    [Fact]
    public void A_policy_arrives_as_it_was_sent()
    {
        var policy = ConfinementPolicy.Strict with
        {
            Weakenings = [Weakening.ConnectTo(80, 443), Weakening.SharedMemory, Weakening.BestEffort(ConfinementLayer.Files)],
            WritablePaths = ["/data", "/a=b"],
            MemoryLimit = 1L << 30,
            CpuTimeLimit = TimeSpan.FromSeconds(90),
            MaxProcesses = 7,
            MaxOpenFiles = 100,
            MaxFileBytes = 1_000,
            UserId = 1_234,
        };
        var sent = new PolicyText(policy, "/scratch%", ["/a b", "/line\nbreak", "/100%25=x"], ["/dev/x"], ["/dotnet"], [5, 7], "/canary", 42);
        var received = PolicyText.Read(sent.Write());
        Assert.Equal(sent.Readable, received.Readable);
        Assert.Equal(sent.Scratch, received.Scratch);
        Assert.Equal(policy.WritablePaths, received.Policy.WritablePaths);
        Assert.Equal((sent.Devices, sent.Programs, sent.Descriptors, sent.Canary, sent.Host), (received.Devices, received.Programs, received.Descriptors, received.Canary, received.Host), new ByContent());
        Assert.Equal(policy.Weakenings, received.Policy.Weakenings);
        Assert.Equal([80, 443], received.Policy.Ports);
        Assert.Equal((policy.MemoryLimit, policy.CpuTimeLimit, policy.MaxProcesses, policy.MaxOpenFiles, policy.MaxFileBytes, policy.UserId),
            (received.Policy.MemoryLimit, received.Policy.CpuTimeLimit, received.Policy.MaxProcesses, received.Policy.MaxOpenFiles, received.Policy.MaxFileBytes, received.Policy.UserId));
    }

    [Fact]
    public void Limits_of_a_process_are_read_with_and_without_numbers()
    {
        var limits = ProcessView.ParseLimits(
        [
            "Limit                     Soft Limit           Hard Limit           Units     ",
            "Max cpu time              unlimited            unlimited            seconds   ",
            "Max data size             268435456            268435456            bytes     ",
            "Max nice priority         0                    0                    ",
        ]);
        Assert.Equal((long.MaxValue, 268_435_456L, 0L), (limits["Max cpu time"], limits["Max data size"], limits["Max nice priority"]));
    }

    private sealed class ByContent : IEqualityComparer<(IReadOnlyList<string>, IReadOnlyList<string>, IReadOnlyList<int>, string, int)>
    {
        public bool Equals((IReadOnlyList<string>, IReadOnlyList<string>, IReadOnlyList<int>, string, int) x, (IReadOnlyList<string>, IReadOnlyList<string>, IReadOnlyList<int>, string, int) y) =>
            x.Item1.SequenceEqual(y.Item1) && x.Item2.SequenceEqual(y.Item2) && x.Item3.SequenceEqual(y.Item3) && x.Item4 == y.Item4 && x.Item5 == y.Item5;

        public int GetHashCode((IReadOnlyList<string>, IReadOnlyList<string>, IReadOnlyList<int>, string, int) obj) => obj.Item5;
    }
}
