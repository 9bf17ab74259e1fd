using System.CommandLine;
using ProcessPool.Cli.Output;

namespace ProcessPool.Cli.Commands;

/// <summary><c>processpool inspect PLUGIN</c>: all that its metadata says; with <c>--load</c> also what it is made of in a worker.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var path = new Argument<string>("PLUGIN") { Description = "The plugin's folder, or its DLL." };
        var load = new Option<bool>("--load") { Description = "Start a worker, and show for each assembly and native library where it comes from and why. Runs the plugin's own code, in a sandbox, which --confine limits: without it the code may do what you may." };
        var confinement = new ConfinementOptions();
        var json = new Option<bool>("--json") { Description = "Write JSON." };
        var command = new Command("inspect", "Show what a plugin offers and needs. Nothing of it is loaded or executed, unless you say --load.") { path, load, json };
        HelpWithExamples.Add(command, """
            Examples:
              processpool inspect plugins/SamplePlugin
              processpool inspect plugins/SamplePlugin --load
              processpool inspect downloads/Unknown.dll --load --confine strict --memory 512M
              processpool inspect plugins/SamplePlugin --json | jq -r .digest
            """);
        confinement.AddTo(command);
        command.Validators.Add(result =>
        {
            if (!result.GetValue(load) && confinement.IsGiven(result))
            {
                result.AddError("Without --load nothing runs that could be confined: add --load, or leave the options of confinement out.");
            }
        });
        path.Validators.Add(result =>
        {
            if (string.IsNullOrWhiteSpace(result.GetValueOrDefault<string>()))
            {
                result.AddError("PLUGIN is empty: give the plugin's folder, or its DLL.");
            }
        });
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetRequiredValue(path), parsed.GetValue(load) ? confinement.Read(parsed) : null, parsed.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string path, ConfinementPolicy? confinement, bool json, CancellationToken cancellationToken)
    {
        try
        {
            var plugin = PluginInfo.Read(path);
            if (!json)
            {
                foreach (var line in PluginText.All(plugin))
                {
                    Console.WriteLine(PluginText.Clean(line));
                }
            }

            var report = confinement is null ? null : await LoadAsync(path, confinement, cancellationToken);
            if (json)
            {
                Console.WriteLine(JsonText.Of(PluginJson.Of(plugin, plugin.ComputeDigest(), report)));
            }
            else if (report is not null)
            {
                Console.WriteLine();
                Console.WriteLine("in a worker");
                Console.WriteLine(report);
            }

            return ExitCode.Succeeded;
        }
        catch (PluginLoadException exception) when (exception.LoadReport is not null)
        {
            await Console.Error.WriteLineAsync($"{exception.Message}{Environment.NewLine}{Environment.NewLine}{exception.LoadReport}");
            return ExitCode.CannotStart;
        }
    }

    private static async Task<LoadReport?> LoadAsync(string path, ConfinementPolicy confinement, CancellationToken cancellationToken)
    {
        await using var pool = await SandboxPool.StartAsync(new SandboxPoolOptions { Plugin = path, Workers = 1, Confinement = confinement, Logger = new StandardErrorLogger() }, cancellationToken);
        return await pool.GetLoadReportAsync(cancellationToken);
    }
}
