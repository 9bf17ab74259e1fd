using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace ProcessPool.Cli;

/// <summary>The usual help, and below it what a line of description cannot say: formats and examples.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    private static readonly ConditionalWeakTable<Command, string> Details = [];

    /// <summary>Who asks for help need not have given the arguments.</summary>
    public override bool ClearsParseErrors => true;

    /// <summary>Sets what is shown below a command's help.</summary>
    public static void Add(Command command, string details) => Details.AddOrUpdate(command, details);

    /// <summary>What is shown below a command's help; null for nothing.</summary>
    public static string? Of(Command command) => Details.TryGetValue(command, out var details) ? details : null;

    public override int Invoke(ParseResult parseResult)
    {
        var code = usual.Invoke(parseResult);
        if (Of(parseResult.CommandResult.Command) is { } details)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(details);
        }

        return code;
    }
}
