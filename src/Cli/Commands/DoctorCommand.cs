using System.CommandLine;
using System.Globalization;
using ProcessPool.Cli.Output;
using Spectre.Console;

namespace ProcessPool.Cli.Commands;

/// <summary><c>processpool doctor</c>: what this machine can enforce, found by trying it in a sandbox without a plugin.</summary>
internal static class DoctorCommand
{
    private static readonly ConfinementPolicy[] Policies = [ConfinementPolicy.Limits, ConfinementPolicy.Restricted, ConfinementPolicy.Strict];

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Write JSON: for each level, each layer with its state, mechanism and reason." };
        var command = new Command("doctor", "Show what this machine can enforce, layer by layer and level by level, and what would help. Tries it in sandboxes of its own.") { json };
        HelpWithExamples.Add(command, """
            Exit code 0 when all that the levels promise can be enforced, 1 when not. Limits that a policy may add are shown too, and do not count.

            Examples:
              processpool doctor
              processpool doctor --json | jq '.[] | select(.level == "strict") | .isEnforceable'
            """);
        command.SetAction(async (parsed, cancellationToken) => await RunAsync(parsed.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(bool json, CancellationToken cancellationToken)
    {
        var reports = new List<ConfinementReport>();
        foreach (var policy in Policies)
        {
            // With limits far from what an idle sandbox needs.
            reports.Add(await ConfinementTrial.RunAsync(
                policy with { MemoryLimit = 1L << 30, CpuTimeLimit = TimeSpan.FromHours(1), MaxProcesses = 100_000, MaxOpenFiles = 1_024, MaxFileBytes = 1L << 30, MaxThreads = 1_000, CpuRate = 1, MaxScratchBytes = 1L << 30 }, cancellationToken));
        }

        if (json)
        {
            Console.WriteLine(JsonText.Of(reports.Select(report => new { report.Policy.Level, IsEnforceable = IsEnforceable(report), report.IsProven, Layers = report.Layers.Where(layer => layer.State != LayerState.NotAsked) })));
        }
        else
        {
            Draw(reports);
        }

        return reports.All(IsEnforceable) ? ExitCode.Succeeded : ExitCode.SomeFailed;
    }

    // Up to there a level's own; the limits follow.
    private static bool IsEnforceable(ConfinementReport report) => report.Layers.All(layer => layer.State != LayerState.Unavailable || layer.Layer > ConfinementLayer.Descriptors);

    private static void Draw(List<ConfinementReport> reports)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("layer");
        reports.ForEach(report => table.AddColumn($"{report.Policy.Level}"));
        foreach (var layer in Enum.GetValues<ConfinementLayer>())
        {
            table.AddRow([$"{layer}", .. reports.Select(report => Cell(report[layer]))]);
        }

        AnsiConsole.Write(table);
        foreach (var group in reports.SelectMany(report => report.Layers).Where(layer => layer.Reason.Length > 0).GroupBy(layer => (layer.Layer, layer.State, layer.Reason)).Select(group => group.First()))
        {
            AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{(group.State == LayerState.Unavailable ? "no" : "partly")}  {group.Layer}: {group.Reason}.");
        }
    }

    private static string Cell(LayerReport layer) => layer.State switch
    {
        LayerState.Enforced => "[green]yes[/]",
        LayerState.Partial => "[yellow]partly[/]",
        LayerState.Unavailable => "[red]no[/]",
        _ => "-",
    };
}
