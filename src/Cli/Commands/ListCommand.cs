using System.CommandLine;

namespace ProcessPool.Cli.Commands;

/// <summary><c>processpool list DIR</c>: plugins and their entry points. Nothing is loaded or executed.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        var directory = new Argument<string>("DIR") { Description = "A plugin's folder, or a folder of such folders." };
        var command = new Command("list", "List plugins and what can be called in them. Nothing of them is loaded or executed.") { directory };
        command.SetAction(async (parsed, _) =>
        {
            try
            {
                return await RunAsync(parsed.GetRequiredValue(directory));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync(exception.Message);
                return ExitCode.SomeFailed;
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(string directory)
    {
        if (!Directory.Exists(directory))
        {
            await Console.Error.WriteLineAsync($"There is no folder '{directory}'.");
            return ExitCode.CannotStart;
        }

        var holdsPlugin = Directory.EnumerateFiles(directory, "*.dll").Any();
        var folders = holdsPlugin ? [directory] : Directory.GetDirectories(directory).Order(StringComparer.Ordinal).ToArray();
        if (folders.Length == 0)
        {
            await Console.Error.WriteLineAsync($"There is no plugin in '{directory}'.");
            return ExitCode.CannotStart;
        }

        var code = ExitCode.Succeeded;
        foreach (var folder in folders)
        {
            try
            {
                var plugin = PluginInfo.Read(folder);
                Console.WriteLine(plugin.Name);
                foreach (var entryPoint in plugin.EntryPoints)
                {
                    Console.WriteLine($"  {entryPoint}");
                }
            }
            catch (PluginLoadException exception)
            {
                await Console.Error.WriteLineAsync(exception.Message);
                code = ExitCode.SomeFailed;
            }
        }

        return code;
    }
}
