using System.Text;
using System.Text.Json;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Confinement;

/// <summary>Code that means harm, at each level. Every attack is also made where nothing is confined: there it must succeed, or its failure elsewhere would prove nothing. The table of docs/confinement.md is what is seen here.</summary>
[Collection(nameof(Alone))]
public sealed class AttackTests
{
    private static readonly string Plugin = Path.Combine(Repository.Root, "artifacts", "fixtures", "Attacks");

    private static readonly (ConfinementLevel Level, ConfinementPolicy Policy)[] Levels =
    [
        (ConfinementLevel.None, ConfinementPolicy.None), (ConfinementLevel.Limits, ConfinementPolicy.Limits), (ConfinementLevel.Restricted, ConfinementPolicy.Restricted), (ConfinementLevel.Strict, ConfinementPolicy.Strict),
    ];

    [Fact]
    public async Task As_this_user_they_end_as_the_level_promises()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        using var targets = new Targets(ofNobody: false);
        var seen = new List<Dictionary<string, string>>();
        foreach (var (level, policy) in Levels)
        {
            targets.Restore();
            seen.Add(await RunAsync(policy, targets));
            Check(seen[^1], level, Environment.UserName == "root");
        }

        var table = new StringBuilder("| attack | None | Limits | Restricted | Strict |\n|---|---|---|---|---|\n");
        foreach (var attack in seen[0].Keys)
        {
            table.Append($"| {attack} | {string.Join(" | ", seen.Select((ends, level) => level < 2 && Expected.NotEverywhere.Contains(attack) ? "…" : ends[attack]))} |\n");
        }

        var document = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "confinement.md"));
        Assert.True(document.ReplaceLineEndings("\n").Contains(table.ToString(), StringComparison.Ordinal) || Environment.UserName != "root", $"Expected docs/confinement.md to have this table:\n{table}");
    }

    [Fact]
    public async Task As_an_ordinary_user_they_end_as_the_level_promises()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        Nobody.SkipUnlessPossible();
        using var targets = new Targets(ofNobody: true);
        var target = JsonSerializer.Serialize(targets.Describe());
        foreach (var (level, _) in Levels)
        {
            targets.Restore();
            Check(await Nobody.RunAsync(level, Plugin, "Run", target), level, isRoot: false);
        }
    }

    private static void Check(Dictionary<string, string> ends, ConfinementLevel level, bool isRoot)
    {
        var wrong = new StringBuilder();
        foreach (var (attack, end) in ends)
        {
            if (Expected.Of(attack, level, isRoot) is { } expected && end != expected && end != "skipped")
            {
                wrong.Append($"\n{attack}: expected {expected}, ended with {end}");
            }
        }

        Assert.True(wrong.Length == 0, $"At {level}:{wrong}");
    }

    private static async Task<Dictionary<string, string>> RunAsync(ConfinementPolicy policy, Targets targets)
    {
        var options = Pools.Options(Plugin, workers: 2);
        options.Confinement = policy;
        Environment.SetEnvironmentVariable("HOST_SECRET", "x");
        try
        {
            await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
            await using var one = await pool.LeaseAsync();
            await using var other = await pool.LeaseAsync();
            var sibling = await other.InvokeAsync<string>("Scratch");
            return await one.InvokeAsync<Dictionary<string, string>>("Run", [targets.Describe(sibling)]).Within("the attacks end");
        }
        finally
        {
            Environment.SetEnvironmentVariable("HOST_SECRET", null);
        }
    }
}
