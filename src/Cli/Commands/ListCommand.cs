using System.CommandLine;
using ProcessPool.Cli.Output;

namespace ProcessPool.Cli.Commands;

/// <summary><c>processpool list DIR</c>: plugins and their entry points. Nothing is loaded or executed.</summary>
internal static class ListCommand
{
    // Of a folder that may not be read it is not known what is in it.
    private static readonly EnumerationOptions Readable = new() { IgnoreInaccessible = true };

    public static Command Create()
    {
        var directory = new Argument<string>("DIR") { Description = "A plugin's folder, or a folder of such folders and DLLs." };
        var json = new Option<bool>("--json") { Description = "Write JSON: an array with all that is known of each plugin." };
        var command = new Command("list", "List plugins and what can be called in them. Nothing of them is loaded or executed.") { directory, json };
        HelpWithExamples.Add(command, """
            Examples:
              processpool list plugins
              processpool list plugins --json | jq -r '.[].entryPoints[].signature'
            """);
        command.SetAction((parsed, _) => RunAsync(parsed.GetRequiredValue(directory), parsed.GetValue(json)));
        return command;
    }

    private static async Task<int> RunAsync(string directory, bool json)
    {
        if (!Directory.Exists(directory))
        {
            await Console.Error.WriteLineAsync($"There is no folder '{directory}'.");
            return ExitCode.CannotStart;
        }

        var plugins = Find(directory);
        if (plugins.Count == 0)
        {
            await Console.Error.WriteLineAsync($"There is no plugin in '{directory}'.");
            return ExitCode.CannotStart;
        }

        if (json)
        {
            Console.WriteLine(JsonText.Of(plugins.Select(each => each.Plugin is { } plugin ? PluginJson.Of(plugin, each.Digest) : PluginJson.Of(each.Name, each.Error!))));
        }

        foreach (var each in json ? [] : plugins)
        {
            if (each.Plugin is { } plugin)
            {
                Console.WriteLine(PluginText.Clean(plugin.Name));
                foreach (var line in PluginText.EntryPoints(plugin))
                {
                    Console.WriteLine(PluginText.Clean(line));
                }
            }
            else
            {
                await Console.Error.WriteLineAsync(each.Error!.Message);
            }
        }

        return plugins.Any(each => each.Error is not null) ? ExitCode.SomeFailed : ExitCode.Succeeded;
    }

    // A folder with DLLs is a plugin's own, unless it is a drop folder with bare ones.
    private static IReadOnlyList<CatalogPlugin> Find(string directory)
    {
        if (Directory.EnumerateFiles(directory, "*.dll").Any() && !Directory.EnumerateDirectories(directory).Any(folder => Directory.EnumerateFiles(folder, "*.dll", Readable).Any()))
        {
            try
            {
                var plugin = PluginInfo.Read(directory);
                return [new CatalogPlugin(plugin.Name, plugin, plugin.ComputeDigest(), null, null)];
            }
            catch (PluginLoadException)
            {
                // Then it is one of the other kind.
            }
        }

        return PluginCatalog.Discover(directory);
    }
}
