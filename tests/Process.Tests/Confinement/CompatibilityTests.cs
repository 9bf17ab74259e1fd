using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Confinement;

/// <summary>What ordinary .NET code needs works at every level, but for what the level is there to forbid. The lists of docs/confinement.md are what is seen here.</summary>
public sealed class CompatibilityTests
{
    private static readonly string Plugin = Path.Combine(Repository.Root, "artifacts", "fixtures", "Ordinary");

    private static readonly string[] FailAtRestricted = ["a named pipe", "all processes", "the user's name", "a named mutex", "names of machines", "a request by HTTP"];

    private static readonly string[] FailAtStrict = ["map memory without a file", "set a file's time", "set a file's mode"];

    [Fact]
    public async Task Forty_things_that_ordinary_code_does_work_or_fail_as_the_documents_say()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        var unconfined = await RunAsync(ConfinementPolicy.None);
        Assert.Equal(40, unconfined.Count);
        Assert.All(unconfined, end => Assert.True(end.Value == "ok", $"Expected '{end.Key}' to work where nothing is confined: {end.Value}"));
        Check(await RunAsync(ConfinementPolicy.Limits), []);
        Check(await RunAsync(ConfinementPolicy.Restricted), Environment.UserName == "root" ? [.. FailAtRestricted, "set a file's mode"] : FailAtRestricted);
        Check(await RunAsync(ConfinementPolicy.Strict), [.. FailAtRestricted, .. FailAtStrict]);
    }

    [Fact]
    public async Task The_same_for_an_ordinary_user()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        Nobody.SkipUnlessPossible();
        Check(await Nobody.RunAsync(ConfinementLevel.Restricted, Plugin, "RunAsync"), FailAtRestricted);
        Check(await Nobody.RunAsync(ConfinementLevel.Strict, Plugin, "RunAsync"), [.. FailAtRestricted, .. FailAtStrict]);
    }

    private static void Check(Dictionary<string, string> ends, IEnumerable<string> failing)
    {
        var failed = ends.Where(end => end.Value != "ok").ToDictionary();
        Assert.True(failing.Order().SequenceEqual(failed.Keys.Order()), $"Expected these to fail: {string.Join(", ", failing)}. These did:\n{string.Join('\n', failed)}");
    }

    private static async Task<Dictionary<string, string>> RunAsync(ConfinementPolicy policy)
    {
        var options = Pools.Options(Plugin);
        options.Confinement = policy;
        await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
        return await pool.InvokeAsync<Dictionary<string, string>>("RunAsync").Within("the checks end");
    }
}
