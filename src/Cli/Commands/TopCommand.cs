using System.CommandLine;
using System.Globalization;
using ProcessPool.Cli.Output;
using ProcessPool.Cli.Top;
using Spectre.Console;

namespace ProcessPool.Cli.Commands;

/// <summary><c>processpool top [PID]</c>: the pools of a running process and their workers.</summary>
internal static class TopCommand
{
    public static Command Create()
    {
        var process = new Argument<int?>("PID")
        {
            Description = "The process that hosts the pools. Without it: the only one that has any.",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = result =>
            {
                if (int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id > 0)
                {
                    return id;
                }

                result.AddError($"'{result.Tokens[0].Value}' is not the number of a process.");
                return null;
            },
        };
        var once = new Option<bool>("--once") { Description = "Write the table once, without colours. So it is where standard output is no terminal." };
        var json = new Option<bool>("--json") { Description = "Write JSON, once." };
        var command = new Command("top", "Show the pools of a running .NET process: workers, calls, memory, what they died of. It needs nothing but its runtime's diagnostics port.") { process, once, json };
        HelpWithExamples.Add(command, """
            On a terminal the table is drawn each second, until q or Ctrl+C. Rates are since the second before; 100% is one processor.
            The process must run as the same user; root may watch any.

            Exit codes: 0 shown, 1 the process ended before, 2 it cannot be watched or has no pool, or it is not clear which, 130 after Ctrl+C.

            Examples:
              processpool top
              processpool top 4711
              processpool top 4711 --once
              processpool top 4711 --json | jq '.pools[] | select(.queued > 100) | .name'
            """);
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(process), parsed.GetValue(once), parsed.GetValue(json)));
        return command;
    }

    private static async Task<int> RunAsync(int? processId, bool once, bool json)
    {
        using var interrupt = new Interrupt(isToldOf: false);
        await using var process = processId is { } id ? await WatchedProcess.OpenAsync(id, interrupt.Drain) : await PoolHosts.FindOnlyAsync(interrupt.Drain);
        if (await process.FirstAsync(interrupt.Drain) is not { } first)
        {
            await Console.Error.WriteLineAsync($"Process {process.Id} has ended.");
            return ExitCode.SomeFailed;
        }

        if (!once && !json && !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi)
        {
            if (await LiveTable.RunAsync(process, first, interrupt.Drain))
            {
                await Console.Error.WriteLineAsync($"Process {process.Id} has ended.");
            }

            return ExitCode.Succeeded;
        }

        var snapshot = await process.WithRatesAsync(first, interrupt.Drain);
        Console.WriteLine(json ? JsonText.Of(new { ProcessId = process.Id, process.CommandLine, snapshot.Pools }) : PoolTable.Plain($"process {process.Id}  {process.CommandLine}", snapshot));
        return ExitCode.Succeeded;
    }
}
