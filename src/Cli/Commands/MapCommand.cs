using System.CommandLine;
using System.Globalization;
using ProcessPool.Cli.Map;

namespace ProcessPool.Cli.Commands;

/// <summary><c>processpool map PLUGIN ENTRY</c>: one call for each line of JSON, one line out for each call.</summary>
internal static class MapCommand
{
    private const int MaxRetries = 100;

    public static Command Create()
    {
        var pool = new PoolArguments();
        var input = new Option<string>("--input", "-i") { Description = "The file to read, or - for standard input.", HelpName = "FILE", DefaultValueFactory = _ => "-" };
        var output = new Option<string>("--output", "-o") { Description = "The file to write, or - for standard output.", HelpName = "FILE", DefaultValueFactory = _ => "-" };
        var ordered = new Option<bool>("--keep-order", "-k") { Description = "Write results in input order; otherwise as completed." };
        var raw = new Option<bool>("--raw", "-R") { Description = "Each input line is a string, not JSON: the first argument." };
        var retries = new Option<int>("--retries") { Description = "How often a call that failed is made again, of an entry point that is marked [Idempotent].", HelpName = "N" };
        var idempotent = new Option<bool>("--idempotent") { Description = "Making a call again does no harm: --retries may, though the entry point is not marked so." };
        var joblog = new Option<string?>("--joblog") { Description = "Write a line for each call that has ended, so that the run can be gone on with.", HelpName = "FILE" };
        var resume = new Option<bool>("--resume") { Description = "Go on where the joblog ends: make the calls that failed or were never made. Starts anew if there is no joblog yet." };
        var allowChanged = new Option<bool>("--allow-changed-plugin") { Description = "Go on although the plugin has changed since." };
        var progress = new Option<bool>("--progress") { Description = "Write how far it is to standard error every ten seconds. On a terminal there is a bar anyway." };
        retries.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MaxRetries))
            {
                result.AddError($"--retries '{token.Value}' is not a number from 0 to {MaxRetries}.");
            }
        });
        var command = new Command("map", "Call an entry point for each line of JSON and write one line of JSON for each call.");
        HelpWithExamples.Add(command, """
            Output:
              {"index":0,"value":49}
              {"index":3,"error":{"kind":"crash","type":"WorkerCrashedException","message":"…","exitCode":139,"signal":"SIGSEGV","worker":"SamplePlugin-1"}}
              Kinds of errors: plugin, argument, crash, protocol, timeout, cancelled, rejected, load, start, confinement, internal.
              Results come as completed, or in input order with -k.

            Exit codes: 0 all calls succeeded, 1 some failed, 2 usage, 3 cannot start, 130 after Ctrl+C or SIGTERM,
              141 when nobody reads the output any more.

            Ctrl+C:
              The first one (or SIGTERM) ends the reading of input and waits for the calls that were begun, or wait already: up to 17 for each worker,
              more of very short ones. Without --timeout that may be for ever. The second one kills them, and map ends at once.

            Going on:
              The same command line with --joblog FILE --resume may be repeated until all is done: it makes only the calls that failed or were
              never made. With --output FILE each line is in the output once in the end, even after a kill -9. With standard output, append:
              what was written just before a kill may come twice.

            Input:
              An object binds by name where its names are the parameters', an array by position when there are several parameters;
              anything else is the first argument. Blank lines are skipped. Text is UTF-8, and a line ends with a line feed;
              bytes that are no UTF-8 become U+FFFD, also with --raw.

            Examples:
              seq 1 100000 | processpool map plugins/SamplePlugin Square -k
              find . -name '*.txt' | processpool map plugins/SamplePlugin TextStatistics --raw -j 0.5 --timeout 30s
              processpool map plugins/SamplePlugin Square -i numbers.jsonl -o squares.jsonl --joblog squares.log --resume --retries 2 --idempotent
            """);
        pool.AddTo(command);
        command.Add(input);
        command.Add(output);
        command.Add(ordered);
        command.Add(raw);
        command.Add(retries);
        command.Add(idempotent);
        command.Add(joblog);
        command.Add(resume);
        command.Add(allowChanged);
        command.Add(progress);
        command.Validators.Add(result =>
        {
            if (result.GetValue(joblog) == "-")
            {
                result.AddError("--joblog must be a file: a run can be gone on with only where its joblog is kept.");
            }

            if (result.GetValue(resume) && result.GetValue(joblog) is null)
            {
                result.AddError("--resume needs --joblog FILE: the joblog of the run to go on with.");
            }
        });
        command.SetAction((parsed, _) => RunAsync(new MapOptions(pool.Read(parsed), parsed.GetRequiredValue(pool.EntryPoint))
        {
            Input = parsed.GetRequiredValue(input),
            Output = parsed.GetRequiredValue(output),
            KeepOrder = parsed.GetValue(ordered),
            Raw = parsed.GetValue(raw),
            Retries = parsed.GetValue(retries),
            Idempotent = parsed.GetValue(idempotent),
            Joblog = parsed.GetValue(joblog),
            Resume = parsed.GetValue(resume),
            AllowChangedPlugin = parsed.GetValue(allowChanged),
            Progress = parsed.GetValue(progress),
        }));
        return command;
    }

    private static async Task<int> RunAsync(MapOptions options)
    {
        using var work = MapWork.Open(options);
        // In debug mode the plugin prints to this process's own output: that is kept for results.
        Console.SetOut(Console.Error);
        return await PoolRunner.RunAsync(options.Pool, options.EntryPoint, work.RunAsync, work.Prepare);
    }
}
