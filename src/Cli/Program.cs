using System.CommandLine;
using System.CommandLine.Help;
using ProcessPool.Cli.Commands;

namespace ProcessPool.Cli;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        var help = new HelpOption { Recursive = true };
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        var root = new Command("processpool", "Runs .NET plugins in a pool of sandbox processes: a call that crashes costs that one call.")
        {
            ListCommand.Create(),
            InspectCommand.Create(),
            RunCommand.Create(),
            MapCommand.Create(),
            DoctorCommand.Create(),
            help,
            new VersionOption(),
        };

        // A plain '@' is data here, not the name of a response file.
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync(error.Message);
            }

            var command = parsed.CommandResult.Command == root ? "processpool" : $"processpool {parsed.CommandResult.Command.Name}";
            await Console.Error.WriteLineAsync($"Try '{command} --help'.");
            return ExitCode.Usage;
        }

        // Signals are handled by Interrupt: the first drains, the second kills.
        return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
    }
}
