using Spectre.Console;

namespace ProcessPool.Cli.Map;

/// <summary>Shows how far a map is, on standard error: a bar on a terminal, else a line every ten seconds if that was asked for.</summary>
internal static class MapProgress
{
    public static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan DrawEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>Runs the work and shows how far it is.</summary>
    /// <param name="tally">What is shown.</param>
    /// <param name="lines">Whether lines are written where there is no terminal.</param>
    /// <param name="time">The clock.</param>
    /// <param name="work">The work.</param>
    public static async Task RunAsync(MapTally tally, bool lines, TimeProvider time, Func<Task> work)
    {
        if (Console.IsErrorRedirected)
        {
            await WriteLinesAsync(tally, lines ? Console.Error : TextWriter.Null, time, work);
            return;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        ProgressColumn[] columns = tally.Fraction is null ? [new SpinnerColumn(), new TaskDescriptionColumn(), new ElapsedTimeColumn()] : [new ProgressBarColumn { Width = 20 }, new TaskDescriptionColumn { Alignment = Justify.Left }];
        await console.Progress().AutoClear(true).Columns(columns).StartAsync(async context =>
        {
            var bar = context.AddTask("starting", maxValue: 1);
            await using var drawing = time.CreateTimer(_ => Draw(), null, DrawEvery, DrawEvery);
            await work();

            void Draw()
            {
                bar.Description = Markup.Escape(tally.Progress());
                bar.Value = tally.Fraction ?? 0;
            }
        });
    }

    /// <summary>Runs the work and writes a line from time to time.</summary>
    public static async Task WriteLinesAsync(MapTally tally, TextWriter writer, TimeProvider time, Func<Task> work)
    {
        await using var writing = time.CreateTimer(_ => writer.WriteLine(tally.Progress()), null, LineEvery, LineEvery);
        await work();
    }
}
