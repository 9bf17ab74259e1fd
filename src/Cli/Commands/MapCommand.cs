using System.CommandLine;
using System.Text.Json;
using ProcessPool.Cli.Input;
using ProcessPool.Cli.Output;

namespace ProcessPool.Cli.Commands;

/// <summary><c>processpool map PLUGIN ENTRY</c>: one call for each line of JSON, one line out for each call.</summary>
internal static class MapCommand
{
    public static Command Create()
    {
        var pool = new PoolArguments();
        var input = new Option<string>("--input", "-i") { Description = "The file to read, or - for standard input.", HelpName = "FILE", DefaultValueFactory = _ => "-" };
        var output = new Option<string>("--output", "-o") { Description = "The file to write, or - for standard output.", HelpName = "FILE", DefaultValueFactory = _ => "-" };
        var ordered = new Option<bool>("--keep-order", "-k") { Description = "Write results in input order; otherwise as completed." };
        var raw = new Option<bool>("--raw", "-R") { Description = "Each input line is a string, not JSON: the first argument." };
        var command = new Command("map", "Call an entry point for each line of JSON and write one line of JSON for each call.");
        HelpWithExamples.Add(command, """
            Output:
              {"index":0,"value":49}
              {"index":3,"error":{"kind":"crash","type":"WorkerCrashedException","message":"…","exitCode":139,"signal":"SIGSEGV","worker":"SamplePlugin-1"}}
              Kinds of errors: plugin, argument, crash, protocol, timeout, cancelled, rejected.
              Results come as completed, or in input order with -k.

            Exit codes: 0 all calls succeeded, 1 some failed, 2 usage, 3 cannot start, 130 after Ctrl+C (a second Ctrl+C stops at once).

            Input:
              An object binds by name where its names are the parameters', an array by position when there are several parameters;
              anything else is the first argument. Blank lines are skipped.

            Examples:
              seq 1 100000 | processpool map plugins/SamplePlugin Square -k
              find . -name '*.txt' | processpool map plugins/SamplePlugin TextStatistics --raw -j 0.5 --timeout 30s
            """);
        pool.AddTo(command);
        command.Add(input);
        command.Add(output);
        command.Add(ordered);
        command.Add(raw);
        command.SetAction((parsed, _) => RunAsync(
            pool.Read(parsed),
            parsed.GetRequiredValue(pool.EntryPoint),
            parsed.GetRequiredValue(input),
            parsed.GetRequiredValue(output),
            parsed.GetValue(ordered),
            parsed.GetValue(raw)));
        return command;
    }

    private static async Task<int> RunAsync(SandboxPoolOptions options, string entryPointName, string inputPath, string outputPath, bool ordered, bool raw)
    {
        LineReader? input = null;
        OutcomeWriter? output = null;
        try
        {
            input = new LineReader(inputPath == "-" ? Console.OpenStandardInput() : File.OpenRead(inputPath));
            output = OutcomeWriter.Open(outputPath);
            if (inputPath != "-" && outputPath != "-" && Resolved(inputPath) == Resolved(outputPath))
            {
                throw new IOException($"'{outputPath}' is the input: it cannot be the output too.");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            input?.Dispose();
            output?.Dispose();
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCode.Usage;
        }

        using (input)
        using (output)
        {
            Console.SetOut(Console.Error);
            return await PoolRunner.RunAsync(options, entryPointName, (pool, entryPoint, interrupt) => MapAsync(pool, entryPoint, input, output, ordered, raw, interrupt));
        }
    }

    private static string Resolved(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);

    private static async Task<int> MapAsync(
        SandboxPool pool, EntryPointInfo entryPoint, LineReader input, OutcomeWriter output, bool ordered, bool raw, Interrupt interrupt)
    {
        output.Begin();
        var progress = new MapProgress();
        try
        {
            await progress.RunAsync(input, count => WriteAllAsync(pool, entryPoint, input, output, ordered, raw, interrupt, count));
        }
        finally
        {
            await Console.Error.WriteLineAsync(progress.Summary());
        }

        return progress.Failed == 0 ? ExitCode.Succeeded : ExitCode.SomeFailed;
    }

    private static async Task WriteAllAsync(
        SandboxPool pool, EntryPointInfo entryPoint, LineReader input, OutcomeWriter output, bool ordered, bool raw, Interrupt interrupt, Action<Exception?> count)
    {
        var calls = input.ReadAsync(interrupt.Drain).Select(line => raw ? ArgumentText.FromRawLine(line) : ArgumentText.FromLine(line, entryPoint));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(interrupt.Kill);
        await using var outcomes = pool.MapAsync<CallArguments, JsonElement>(entryPoint.Name, calls, ordered, cancellationToken: stop.Token).GetAsyncEnumerator(CancellationToken.None);
        while (true)
        {
            // Whoever reads the output must not wait for a full buffer while there is nothing more to write.
            var next = outcomes.MoveNextAsync().AsTask();
            try
            {
                if (!next.IsCompletedSuccessfully || !next.Result)
                {
                    await output.FlushAsync();
                }
            }
            catch (Exception)
            {
                // Nobody reads the output any more. An iterator must not be disposed while it runs.
                await stop.CancelAsync();
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw;
            }

            if (!await next)
            {
                return;
            }

            count(output.Write(outcomes.Current));
        }
    }
}
