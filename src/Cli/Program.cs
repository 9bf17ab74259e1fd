using System.CommandLine;
using ProcessPool.Cli.Commands;

namespace ProcessPool.Cli;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        var root = new RootCommand("Runs .NET plugins in a pool of sandbox processes: a call that crashes costs that one call.")
        {
            ListCommand.Create(),
            RunCommand.Create(),
            MapCommand.Create(),
        };

        // A plain '@' is data here, not the name of a response file.
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync(error.Message);
            }

            await Console.Error.WriteLineAsync($"Try 'processpool {string.Join(' ', parsed.CommandResult.Command == root ? [] : [parsed.CommandResult.Command.Name])} --help'.".Replace("  ", " ", StringComparison.Ordinal));
            return ExitCode.Usage;
        }

        // Signals are handled by Interrupt: the first drains, the second kills.
        return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
    }
}
