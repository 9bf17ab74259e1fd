using System.Diagnostics;
using System.Globalization;
using ProcessPool.Cli.Input;
using Spectre.Console;

namespace ProcessPool.Cli.Output;

/// <summary>Counts outcomes; draws them on standard error when that is a terminal.</summary>
internal sealed class MapProgress
{
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly SortedDictionary<string, long> _failures = [];

    public long Done { get; private set; }

    public long Failed => _failures.Values.Sum();

    /// <summary>Runs the work, with a progress bar where somebody can see it.</summary>
    public async Task RunAsync(LineReader input, Func<Action<Exception?>, Task> work)
    {
        if (Console.IsErrorRedirected)
        {
            await work(Count);
            return;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        ProgressColumn[] columns = input.Fraction is null
            ? [new SpinnerColumn(), new TaskDescriptionColumn(), new ElapsedTimeColumn()]
            : [new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()];
        await console.Progress().AutoClear(true).Columns(columns).StartAsync(async context =>
        {
            var bar = context.AddTask("0 calls", maxValue: 1);
            await work(error =>
            {
                Count(error);
                bar.Description = Describe();
                bar.Value = input.Fraction ?? 0;
            });
        });
    }

    /// <summary>One line: how many, how fast, what failed.</summary>
    public string Summary()
    {
        var elapsed = Stopwatch.GetElapsedTime(_startedAt);
        var failures = Failed == 0 ? "" : $" ({string.Join(", ", _failures.Select(kind => $"{kind.Value} {kind.Key}"))})";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Done} calls: {Done - Failed} succeeded, {Failed} failed{failures}; {elapsed.TotalSeconds:0.0} s, {Done / Math.Max(0.001, elapsed.TotalSeconds):0}/s");
    }

    private void Count(Exception? error)
    {
        Done++;
        if (error is not null)
        {
            var kind = ErrorKind.Of(error);
            _failures[kind] = _failures.GetValueOrDefault(kind) + 1;
        }
    }

    private string Describe() => Failed == 0 ? $"{Done} calls" : $"{Done} calls, [red]{Failed} failed[/]";
}
