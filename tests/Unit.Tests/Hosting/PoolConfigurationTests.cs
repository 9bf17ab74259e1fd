using Microsoft.Extensions.Configuration;
using ProcessPool.Hosting.Configuration;

namespace ProcessPool.Unit.Tests.Hosting;

/// <summary>A pool's section in an application's configuration.</summary>
public sealed class PoolConfigurationTests
{
    // What only code can say: an object, or a function.
    private static readonly string[] InCode = [nameof(SandboxPoolOptions.Name), nameof(SandboxPoolOptions.Logger), nameof(SandboxPoolOptions.LoggerFactory), nameof(SandboxPoolOptions.TimeProvider), nameof(SandboxPoolOptions.WorkerEnvironment), nameof(SandboxPoolOptions.JsonTypeInfoResolver), nameof(SandboxPoolOptions.Contracts)];

    [Theory]
    [InlineData("", typeof(SandboxPoolOptions))]
    [InlineData("Restart:", typeof(RestartPolicy))]
    [InlineData("Recycle:", typeof(RecyclePolicy))]
    [InlineData("Confinement:", typeof(ConfinementPolicy))]
    public void Every_option_that_text_can_say_has_a_key(string section, Type type)
    {
        var keys = type.GetProperties().Where(property => property.GetMethod!.IsStatic == false).Select(property => property.Name).Except(InCode);
        Assert.All(keys, key => Assert.DoesNotContain(Apply(($"{section}{key}", "?")).Faults, fault => fault.Contains("is not known", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_is_mentioned_is_set_and_what_is_not_stays()
    {
        var (options, faults) = Apply(
            ("Plugin", "plugins/Acme"), ("workers", "50%"), ("MinWorkers", "1"), ("CallTimeout", "30s"), ("StartTimeout", "00:01:00"), ("CancelGrace", "0s"), ("MemoryLimit", "512M"), ("WhenFull", "reject"),
            ("Environment:OMP_NUM_THREADS", "1"), ("Settings:Mode", "fast"), ("GpuAssignment:0", "0"), ("GpuAssignment:1", "3"), ("Restart:MaxRestarts", "10"), ("Recycle:AfterCalls", "100"), ("Recycle:Jitter", "0.2"),
            ("Confinement:Level", "Strict"), ("Confinement:ReadablePaths:0", "/srv/fonts"), ("Confinement:CpuRate", "1.5"), ("Confinement:Weakenings:0", "SharedMemory"), ("Confinement:Weakenings:1", "ConnectTo(80,443)"), ("Confinement:Weakenings:2", "BestEffort(Memory)"));
        Assert.Empty(faults);
        Assert.Equal(("plugins/Acme", WorkerCount.Parse("50%"), 1), (options.Plugin, options.Workers, options.MinWorkers));
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1), TimeSpan.Zero), (options.CallTimeout, options.StartTimeout, options.CancelGrace));
        Assert.Equal((512L << 20, WhenFull.Reject, "1", "fast", 3), (options.MemoryLimit, options.WhenFull, options.Environment["OMP_NUM_THREADS"], options.Settings["Mode"], options.GpuAssignment!.DeviceOf(1)));
        Assert.Equal((10, TimeSpan.FromSeconds(60), 100, 0.2), (options.Restart.MaxRestarts, options.Restart.Window, options.Recycle.AfterCalls, options.Recycle.Jitter));
        Assert.Equal((ConfinementLevel.Strict, 1.5, "/srv/fonts"), (options.Confinement.Level, options.Confinement.CpuRate, Assert.Single(options.Confinement.ReadablePaths)));
        Assert.Equal(["SharedMemory", "ConnectTo(80,443)", "BestEffort(Memory)"], options.Confinement.Weakenings.Select(weakening => $"{weakening}"));
        Assert.Equal(new SandboxPoolOptions().StopTimeout, options.StopTimeout);
    }

    [Fact]
    public void A_level_keeps_what_code_has_said_of_the_policy()
    {
        var options = new SandboxPoolOptions { Confinement = ConfinementPolicy.Restricted with { MaxThreads = 100, ReadablePaths = ["/a"] } };
        Assert.Empty(PoolConfiguration.Apply(Section(("Confinement:Level", "strict")), options));
        Assert.Equal((ConfinementLevel.Strict, 100, "/a"), (options.Confinement.Level, options.Confinement.MaxThreads, Assert.Single(options.Confinement.ReadablePaths)));
    }

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once_with_its_path()
    {
        var (_, faults) = Apply(
            ("Worker", "4"), ("Unheard", "x"), ("MinWorkers", "many"), ("CallTimeout", "30"), ("MemoryLimit", "-1"), ("Debug", "maybe"), ("WhenFull", "7"), ("Workers", "0"), ("Plugin:Path", "x"), ("GpuAssignment", "0"),
            ("Restart:Windows", "1m"), ("Restart:Mode", "Sometimes"), ("Confinement", "Strict"), ("Environment:A:B", "x"), ("Confinement:Weakenings:0", "Networks"), ("Confinement:Weakenings:1", "ConnectTo(x)"), ("GpuAssignment:0", "-1"),
            ("Confinement:Weakenings:2", "BestEffort(Network,ChildProcesses)"), ("Confinement:Weakenings:3", "BestEffort(3)"), ("Confinement:Level", "Limits,Restricted"), ("Settings", "Mode=fast"));
        string[] expected =
        [
            "Pools:Pdf:Worker is not known. Did you mean Workers?", "Pools:Pdf:Unheard is not known. Known are Plugin, Workers", "Pools:Pdf:MinWorkers is 'many': expected a whole number.", "Pools:Pdf:CallTimeout is '30': expected a duration such as 00:00:30",
            "Pools:Pdf:MemoryLimit is '-1': expected a size", "Pools:Pdf:Debug is 'maybe': expected true or false", "Pools:Pdf:WhenFull is '7': expected one of Wait, Reject", "Pools:Pdf:Workers is '0': A worker count", "Pools:Pdf:Plugin is a section or a list; expected a value",
            "Pools:Pdf:GpuAssignment is '0'; expected a list", "Pools:Pdf:Restart:Windows is not known. Did you mean Window?", "Pools:Pdf:Restart:Mode is 'Sometimes': expected one of Always", "Pools:Pdf:Confinement is 'Strict'; expected a section", "Pools:Pdf:Environment:A is a section; expected text",
            "Pools:Pdf:Confinement:Weakenings:0 is 'Networks': expected one of ChildProcesses", "Pools:Pdf:Confinement:Weakenings:1 is 'ConnectTo(x)'", "Pools:Pdf:Confinement:Weakenings:2 is ", "Pools:Pdf:Confinement:Weakenings:3 is ", "Pools:Pdf:Confinement:Level is 'Limits,Restricted': expected one of", "Pools:Pdf:Settings is 'Mode=fast'; expected names and values", "Pools:Pdf:GpuAssignment: ",
        ];
        Assert.All(expected, line => Assert.Contains(faults, fault => fault.StartsWith(line, StringComparison.Ordinal)));
        Assert.Equal(expected.Length, faults.Count);
    }

    private static (SandboxPoolOptions Options, IReadOnlyList<string> Faults) Apply(params (string Key, string Value)[] keys)
    {
        var options = new SandboxPoolOptions();
        return (options, PoolConfiguration.Apply(Section(keys), options));
    }

    private static IConfigurationSection Section(params (string Key, string Value)[] keys) =>
        new ConfigurationBuilder().AddInMemoryCollection(keys.Select(key => KeyValuePair.Create($"Pools:Pdf:{key.Key}", (string?)key.Value))).Build().GetSection("Pools:Pdf");
}
