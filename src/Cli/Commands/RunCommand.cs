using System.CommandLine;
using System.Text.Json;
using ProcessPool.Cli.Input;
using ProcessPool.Cli.Output;

namespace ProcessPool.Cli.Commands;

/// <summary><c>processpool run PLUGIN ENTRY [ARG…]</c>: one call; its result as one JSON line.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var pool = new PoolArguments();
        var values = new Argument<string[]>("ARG") { Description = "Arguments by position. Each is JSON, or a plain string where it is not valid JSON.", Arity = ArgumentArity.ZeroOrMore };
        var json = new Option<bool>("--json") { Description = "Write {\"value\":…} or, when the call fails, {\"error\":{\"kind\":…}}, as map does." };
        var command = new Command("run", "Call one entry point and print its result as one line of JSON.");
        HelpWithExamples.Add(command, """
            Examples:
              processpool run plugins/SamplePlugin Square 7
              processpool run plugins/SamplePlugin TextStatistics README.md
              processpool run plugins/SamplePlugin TextStatistics "$PWD/README.md" --confine strict --memory 512M --allow-read "$PWD/README.md"
              processpool run plugins/SamplePlugin Square 7 --json
              processpool run plugins/SamplePlugin ITextAnalyzer.AnalyzeAsync 'the quick brown fox'
            """);
        pool.AddTo(command);
        command.Add(values);
        command.Add(json);
        command.SetAction((parsed, _) => RunAsync(pool.Read(parsed), parsed.GetRequiredValue(pool.EntryPoint), parsed.GetValue(values) ?? [], parsed.GetValue(json)));
        return command;
    }

    private static async Task<int> RunAsync(SandboxPoolOptions options, string entryPointName, string[] values, bool json)
    {
        using var output = OutcomeWriter.OpenStandardOutput();
        // In debug mode the plugin prints to this process's own output: that is kept for the result.
        Console.SetOut(Console.Error);
        options.Workers = 1;
        return await PoolRunner.RunAsync(options, entryPointName, async (pool, entryPoint, interrupt) =>
        {
            if (json)
            {
                return await WriteOutcomeAsync(pool, entryPoint, values, output, interrupt);
            }

            try
            {
                output.WriteValue(await pool.InvokeAsync<JsonElement>(entryPoint.Name, ArgumentText.FromCommandLine(values), interrupt.Kill));
                output.Flush();
                return ExitCode.Succeeded;
            }
            catch (InvalidOperationException exception)
            {
                await Console.Error.WriteLineAsync($"The result is no JSON that can be written: {exception.Message}");
                return ExitCode.SomeFailed;
            }
            catch (SandboxPoolException exception) when (exception is not CallRejectedException)
            {
                await Console.Error.WriteLineAsync(exception is PluginCallException thrown ? thrown.Error.ToString() : exception.Message);
                return ExitCode.SomeFailed;
            }
        });
    }

    private static async Task<int> WriteOutcomeAsync(SandboxPool pool, EntryPointInfo entryPoint, string[] values, OutcomeWriter output, Interrupt interrupt)
    {
        var outcome = await pool.OutcomeAsync<JsonElement>(0, entryPoint.Name, ArgumentText.FromCommandLine(values), options: null, queued: null, interrupt.Kill);
        var error = output.WriteOutcome(outcome.Succeeded ? outcome.Value : default, outcome.Error);
        output.Flush();
        return error is null ? ExitCode.Succeeded : ExitCode.SomeFailed;
    }
}
