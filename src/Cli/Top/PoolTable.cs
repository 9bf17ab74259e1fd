using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ProcessPool.Cli.Top;

/// <summary>Draws a snapshot: for each pool a line, and its workers below it.</summary>
internal static class PoolTable
{
    private const int PlainWidth = 160;

    /// <summary>What is drawn on a terminal.</summary>
    /// <param name="title">What is above it.</param>
    /// <param name="snapshot">The pools.</param>
    public static IRenderable Of(string title, Snapshot snapshot) => new Rows(
    [
        new Cut(new Markup($"[dim]{Markup.Escape(title)}[/]")),
        .. snapshot.Pools.SelectMany(pool => new IRenderable[] { Below(Line(pool)), new Cut(Workers(pool)) }),
        .. snapshot.Pools.Count == 0 ? [Below("no running pool")] : Array.Empty<IRenderable>(),
    ]);

    /// <summary>The same as lines without colours.</summary>
    public static string Plain(string title, Snapshot snapshot)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = PlainWidth;
        console.Write(Of(title, snapshot));
        return string.Join('\n', $"{text}".TrimEnd().Split('\n').Select(line => line.TrimEnd()));
    }

    private static Padder Below(string markup) => new(new Markup(markup), new Padding(0, 1, 0, 0));

    private static string Line(PoolLine pool)
    {
        List<string> facts = [Workers(pool.Workers.Count, pool.Workers.Count(worker => worker.State == "standby"), pool.Size), $"{pool.Queued} queued", $"{pool.Calls} calls", $"{Number(pool.CallsPerSecond, pool.CallsPerSecond < 10 ? "0.0" : "0")}/s"];
        facts.Add(pool.Failed > 0 ? $"[red]{pool.Failed} failed[/]" : "0 failed");
        if (pool.Retries > 0)
        {
            facts.Add($"{pool.Retries} made again");
        }

        if (pool.Exits.Count > 0)
        {
            facts.Add($"ended: {Markup.Escape(string.Join(", ", pool.Exits.Select(exit => $"{exit.Value} {exit.Key}")))}");
        }

        return $"[bold]{Markup.Escape(pool.Name)}[/]  {Coloured(pool.State)}  {string.Join("  ", facts)}";
    }

    private static string Workers(int all, int standby, int size) => $"{all - standby} of {size} workers{(standby > 0 ? $", {standby} standing by" : "")}";

    private static Table Workers(PoolLine pool)
    {
        var table = new Table { Border = TableBorder.None };
        table.AddColumns(Left("  worker"), Right("pid"), Left("state"), Right("calls"), Right("memory"), Right("cpu"), Right("uptime"));
        foreach (var worker in pool.Workers)
        {
            table.AddRow(
                $"  {Markup.Escape(worker.Name)}", worker.ProcessId > 0 ? $"{worker.ProcessId}" : "-", Coloured(worker.State), $"{worker.Calls}", Memory(worker.ResidentBytes),
                worker.Processors is null ? "-" : $"{Number(worker.Processors * 100, "0")}%", Age(worker.UptimeSeconds));
        }

        return table;

        static TableColumn Left(string name) => new($"[dim]{name}[/]") { NoWrap = true, Padding = new Padding(0, 0, 3, 0) };

        static TableColumn Right(string name) => Left(name).RightAligned();
    }

    private static string Coloured(string state)
    {
        var colour = state switch
        {
            "running" or "busy" => "green",
            "broken" or "killed" => "red",
            "idle" or "standby" or "stopped" => "dim",
            _ => "yellow",
        };
        return $"[{colour}]{Markup.Escape(state)}[/]";
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    private static string Memory(long bytes) => bytes <= 0 ? "-" : $"{Number(bytes / 1e6, "0")} MB";

    private static string Age(double seconds) => seconds is >= 0 and < 1e9 && TimeSpan.FromSeconds(seconds) is var age ? string.Create(CultureInfo.InvariantCulture, $"{(long)age.TotalHours}:{age:mm\\:ss}") : "-";
}
