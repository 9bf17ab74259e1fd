using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using ProcessPool.Cli;
using ProcessPool.Cli.Input;
using ProcessPool.Cli.Map;

namespace ProcessPool.Unit.Tests.Cli;

public sealed class MapTallyTests
{
    private readonly FakeTimeProvider _time = new();
    private double? _fraction = 0;

    [Fact]
    public void Progress_has_the_rate_what_failed_and_the_time_that_is_left()
    {
        var tally = new MapTally(_time, () => _fraction);
        tally.Begin();
        Assert.Equal("0 calls, 0/s, 0%", tally.Progress());
        Count(tally, 300, null);
        Count(tally, 2, new FormatException(), tries: 3);
        tally.WorkerEnded("SIGSEGV");
        _time.Advance(TimeSpan.FromSeconds(100));
        _fraction = 0.25;
        Assert.Equal("302 calls, 3/s, 2 failed, 4 tried again, 1 restarts, 25%, 0:05:00 left", tally.Progress());
        _fraction = null;
        Assert.DoesNotContain("%", tally.Progress());
    }

    [Fact]
    public void What_earlier_runs_did_does_not_count_for_the_time_that_is_left()
    {
        var tally = new MapTally(_time, () => _fraction);
        tally.Skip();
        _fraction = 0.5;
        tally.Begin();
        Count(tally, 10, null);
        _time.Advance(TimeSpan.FromSeconds(10));
        _fraction = 0.75;
        Assert.Equal("10 calls, 1/s, 1 done before, 75%, 0:00:10 left", tally.Progress());
    }

    [Fact]
    public void The_summary_counts_names_the_first_lines_that_failed_and_says_how_to_make_them_again()
    {
        var tally = new MapTally(_time, () => null);
        Count(tally, 7, null);
        Count(tally, 12, new FormatException("bad\nworse"), tries: 2);
        tally.WorkerEnded("SIGSEGV");
        tally.WorkerEnded("SIGSEGV");
        tally.WorkerEnded("timed out");
        tally.Written();
        _time.Advance(TimeSpan.FromSeconds(2));
        var lines = tally.Summary("again").ToList();
        Assert.Equal("19 calls: 7 succeeded, 12 failed (12 internal), 12 tried again, 3 workers restarted (2 SIGSEGV, 1 timed out); 2.0 s, 10/s", lines[0]);
        Assert.Equal("failed: line 1  bad (tried 2 times)", lines[1]);
        Assert.Equal("        line 10  bad (tried 2 times)", lines[10]);
        Assert.Equal(["        and 2 more", "again"], lines[11..]);
        Assert.Single(new MapTally(_time, () => null).Summary("again"));
        Count(tally, 3, null);
        Assert.StartsWith("22 calls: 10 succeeded, 12 failed (12 internal), 12 tried again, 3 workers restarted (2 SIGSEGV, 1 timed out), 3 of which the output may lack; 2.0 s", tally.Summary("again").First());
    }

    [Fact]
    public async Task Without_a_terminal_a_line_is_written_every_ten_seconds_while_there_is_work()
    {
        var writer = new StringWriter();
        var work = new TaskCompletionSource();
        var running = MapProgress.WriteLinesAsync(new MapTally(_time, () => null), writer, _time, () => work.Task);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal("", writer.ToString());
        _time.Advance(TimeSpan.FromSeconds(11));
        work.SetResult();
        await running;
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(2, writer.ToString().Count(each => each == '\n'));
    }

    [Theory]
    [InlineData("processpool map p Square '' 'it'\\''s' --resume", "map", "p", "Square", "", "it's")]
    [InlineData("processpool map --resume -j 0.5", "map", "--resume", "-j", "0.5")]
    public void A_command_line_can_be_typed_again(string expected, params string[] arguments) => Assert.Equal(expected, CommandLine.Of(arguments, "--resume"));

    private static void Count(MapTally tally, int count, Exception? error, int tries = 1)
    {
        for (var i = 0; i < count; i++)
        {
            tally.Count(new MapOutcome(new MapItem(i, new InputLine(i + 1, ""), default), new CallOutcome<JsonElement>(i, default, error), tries), error);
        }
    }
}
