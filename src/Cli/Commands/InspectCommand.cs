using System.CommandLine;
using ProcessPool.Cli.Output;

namespace ProcessPool.Cli.Commands;

/// <summary><c>processpool inspect PLUGIN</c>: all that its metadata says; with <c>--load</c> also what it is made of in a worker.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var path = new Argument<string>("PLUGIN") { Description = "The plugin's folder, or its DLL." };
        var load = new Option<bool>("--load") { Description = "Start a worker, and show for each assembly and native library where it comes from and why. Runs the plugin's own code, in a sandbox." };
        var json = new Option<bool>("--json") { Description = "Write JSON." };
        var command = new Command("inspect", "Show what a plugin offers and needs. Nothing of it is loaded or executed, unless you say --load.") { path, load, json };
        HelpWithExamples.Add(command, """
            Examples:
              processpool inspect plugins/SamplePlugin
              processpool inspect plugins/SamplePlugin --load
              processpool inspect plugins/SamplePlugin --json | jq -r .digest
            """);
        path.Validators.Add(result =>
        {
            if (string.IsNullOrWhiteSpace(result.GetValueOrDefault<string>()))
            {
                result.AddError("PLUGIN is empty: give the plugin's folder, or its DLL.");
            }
        });
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetRequiredValue(path), parsed.GetValue(load), parsed.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string path, bool load, bool json, CancellationToken cancellationToken)
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

            var report = load ? await LoadAsync(path, cancellationToken) : null;
            if (json)
            {
                Console.WriteLine(PluginJson.Of(PluginJson.Of(plugin, plugin.ComputeDigest(), report)));
            }
            else if (report is not null)
            {
                Console.WriteLine();
                Console.WriteLine("in a worker");
                Console.WriteLine(report);
            }

            return ExitCode.Succeeded;
        }
        catch (PluginLoadException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            if (exception.LoadReport is { } report)
            {
                await Console.Error.WriteLineAsync($"{Environment.NewLine}{report}");
            }

            return ExitCode.CannotStart;
        }
        catch (SandboxPoolException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCode.CannotStart;
        }
    }

    private static async Task<LoadReport?> LoadAsync(string path, CancellationToken cancellationToken)
    {
        await using var pool = await SandboxPool.StartAsync(new SandboxPoolOptions { Plugin = path, Workers = 1, Logger = new StandardErrorLogger() }, cancellationToken);
        return await pool.GetLoadReportAsync(cancellationToken);
    }
}
