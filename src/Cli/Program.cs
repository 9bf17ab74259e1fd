using System.CommandLine;
using System.CommandLine.Help;
using ProcessPool.Cli.Commands;

namespace ProcessPool.Cli;

internal static class Program
{
    /// <summary>The program's verbs and their help.</summary>
    public static Command CreateRoot()
    {
        var help = new HelpOption { Recursive = true };
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return new Command("processpool", "Runs .NET plugins in a pool of sandbox processes: a call that crashes costs that one call.")
        {
            ListCommand.Create(),
            InspectCommand.Create(),
            RunCommand.Create(),
            MapCommand.Create(),
            TopCommand.Create(),
            DoctorCommand.Create(),
            help,
            new VersionOption(),
        };
    }

    private static async Task<int> Main(string[] arguments)
    {
        // If it is closed, something of the runtime's own has that number.
        Console.SetError(StandardStreams.IsClosed(2) ? TextWriter.Null : new ForgivingWriter(Console.Error));

        if (StandardStreams.IsClosed(1))
        {
            await Console.Error.WriteLineAsync("Standard output is closed: there is nowhere to write to.");
            return ExitCode.Usage;
        }

        var root = CreateRoot();
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
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
        }
        catch (Exception exception)
        {
            if (Failure.Tell(exception) is { } code)
            {
                return code;
            }

            throw;
        }
    }
}
