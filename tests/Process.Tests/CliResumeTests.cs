using System.Text.Json;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

public sealed class CliResumeTests
{
    private static readonly string Plugin = PluginSource.Members("""
        [EntryPoint] public static long Square(long value) => value * value;

        /// Waits for a file at every line from FROM on.
        [EntryPoint] public static long Wait(long value)
        {
            while (value >= long.Parse(Environment.GetEnvironmentVariable("FROM")) && !File.Exists(Environment.GetEnvironmentVariable("GATE")))
            {
                Thread.Sleep(10);
            }

            return value;
        }

        /// Fails or crashes for some, until the file is there.
        [EntryPoint, Idempotent] public static long Fail(long value)
        {
            if (value % 10 == 5 && !File.Exists(Environment.GetEnvironmentVariable("GATE")))
            {
                if (value == 15) Environment.Exit(7);
                throw new NotSupportedException("not yet");
            }

            return value;
        }

        /// Fails the first time.
        [EntryPoint, Idempotent] public static long Once(long value)
        {
            var seen = Environment.GetEnvironmentVariable("GATE") + value;
            if (File.Exists(seen)) return value;
            File.WriteAllText(seen, "");
            if (value == 3) Environment.Exit(9);
            if (value == 4) Thread.Sleep(Timeout.Infinite);
            throw new NotSupportedException("the first time");
        }
        """, "Resumable");

    private readonly string _folder = PluginSource.NewFolder("resume");

    private string Gate => Path.Combine(_folder, "gate");

    private string InputPath => Path.Combine(_folder, "in");

    private string OutputPath => Path.Combine(_folder, "out");

    private string LogPath => Path.Combine(_folder, "log");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Map_killed_at_half_and_resumed_has_each_line_once(bool keepOrder)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks for processes in /proc.");
        const int Lines = 400;
        await WriteInputAsync(Lines);
        string[] arguments = [.. Arguments("Wait"), "--env", "FROM=200", .. keepOrder ? ["-k"] : Array.Empty<string>()];
        using var killed = Cli.Start(arguments);
        await Until.HoldsAsync(() => LogLines().Count(line => line.Contains("\tok\t", StringComparison.Ordinal)) == Lines / 2, "half of the lines are in the joblog");
        var sandboxes = Sandboxes.Of(killed.Id);
        Assert.NotEmpty(sandboxes);
        killed.Kill();
        await killed.WaitForExitAsync().Within("the killed program ends");
        await Until.HoldsAsync(() => !sandboxes.Any(Sandboxes.IsAlive), "no sandbox is left");

        // As a kill in the middle of a write leaves them.
        await File.AppendAllTextAsync(OutputPath, "{\"index\":399,\"value\":399}\n{\"index\":398,\"val");
        await File.AppendAllTextAsync(LogPath, "399\t:\t17957");
        await File.WriteAllTextAsync(Gate, "");
        var resumed = await Cli.RunAsync([.. arguments, "--resume"]);
        Assert.True(resumed.ExitCode == 0, resumed.Error);
        Assert.Contains("200 calls: 200 succeeded, 0 failed, 200 done before", resumed.Error);
        var values = Values();
        Assert.Equal(Enumerable.Range(0, Lines).Select(i => (long)i), keepOrder ? values.Select(value => value.Index) : values.Select(value => value.Index).Order());
        Assert.All(values, value => Assert.Equal(value.Index, value.Value));
        Assert.Equal(Lines, LogLines().Count(line => line.Contains("\tok\t", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_failed_is_made_again_and_its_errors_leave_the_output(bool keepOrder)
    {
        await WriteInputAsync(40);
        string[] arguments = [.. Arguments("Fail"), .. keepOrder ? ["-k"] : Array.Empty<string>()];
        var first = await Cli.RunAsync(arguments);
        Assert.Equal((1, 40, 4), (first.ExitCode, File.ReadLines(OutputPath).Count(), File.ReadLines(OutputPath).Count(line => line.Contains("\"error\"", StringComparison.Ordinal))));
        Assert.Contains("40 calls: 36 succeeded, 4 failed (1 crash, 3 plugin)", first.Error);
        Assert.Contains("line 6  NotSupportedException: not yet", first.Error);
        Assert.Contains($"To make only those again: processpool map {Plugin} Fail", first.Error);

        var second = await Cli.RunAsync([.. arguments, "--resume"]);
        Assert.Contains("4 calls: 0 succeeded, 4 failed (1 crash, 3 plugin), 36 done before", second.Error);
        Assert.Equal((1, 40), (second.ExitCode, File.ReadLines(OutputPath).Count()));

        await File.WriteAllTextAsync(Gate, "");
        Assert.Equal(0, (await Cli.RunAsync([.. arguments, "--resume"])).ExitCode);
        var indexes = Values().Select(value => value.Index).ToList();
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), keepOrder ? indexes : indexes.Order());

        var nothing = await Cli.RunAsync([.. arguments, "--resume"]);
        Assert.Equal(0, nothing.ExitCode);
        Assert.Contains("0 calls: 0 succeeded, 0 failed, 40 done before", nothing.Error);
        Assert.Equal(40, File.ReadLines(OutputPath).Count());
    }

    [Fact]
    public async Task With_standard_output_a_resumed_run_writes_what_was_missing()
    {
        string[] arguments = ["map", Plugin, "Fail", "--env", $"GATE={Gate}", "--joblog", LogPath];
        var input = string.Concat(Enumerable.Range(0, 20).Select(i => $"{i}\n"));
        Assert.Equal(1, (await Cli.RunWithInputAsync(input, arguments)).ExitCode);
        await File.WriteAllTextAsync(Gate, "");
        var resumed = await Cli.RunWithInputAsync(input, [.. arguments, "--resume"]);
        Assert.Equal(0, resumed.ExitCode);
        Assert.Equal(["{\"index\":15,\"value\":15}", "{\"index\":5,\"value\":5}"], resumed.Lines.Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Retries_make_a_call_again_after_an_exception_a_crash_and_a_timeout(bool keepOrder)
    {
        await WriteInputAsync(6);
        var result = await Cli.RunAsync([.. Arguments("Once"), "--retries", "1", "--timeout", "5s", .. keepOrder ? ["-k"] : Array.Empty<string>()]);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("6 calls: 6 succeeded, 0 failed, 6 tried again", result.Error);
        Assert.Equal(6, LogLines().Count(line => line.EndsWith('\t' + "ok" + line[^9..], StringComparison.Ordinal) && line.Split('\t')[10] == "2"));
        var indexes = Values().Select(value => value.Index).ToList();
        Assert.Equal([0L, 1, 2, 3, 4, 5], keepOrder ? indexes : indexes.Order());
    }

    [Fact]
    public async Task Retries_end_and_say_how_often_and_arguments_that_do_not_fit_are_not_tried_again()
    {
        var result = await Cli.RunWithInputAsync("5\n\"x\"\n", "map", Plugin, "Fail", "-k", "--retries", "2", "--env", $"GATE={Gate}");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("\"tries\":3", result.Lines[0]);
        Assert.DoesNotContain("tries", result.Lines[1]);
        Assert.Contains("(tried 3 times)", result.Error);
    }

    [Fact]
    public async Task Retries_of_what_is_not_idempotent_need_the_users_word()
    {
        var refused = await Cli.RunWithInputAsync("7\n", "map", Plugin, "Square", "--retries", "1");
        Assert.Equal((2, ""), (refused.ExitCode, refused.Output));
        Assert.Contains("[Idempotent]", refused.Error);
        Assert.Contains("--idempotent", refused.Error);
        Assert.Equal(0, (await Cli.RunWithInputAsync("7\n", "map", Plugin, "Square", "--retries", "1", "--idempotent")).ExitCode);
    }

    [Fact]
    public async Task What_does_not_go_together_is_a_usage_error_that_says_what_to_do_and_changes_nothing()
    {
        // The last one fails: its error is in the output until it is made again.
        await WriteInputAsync(9);
        await File.AppendAllTextAsync(InputPath, "\"x\"\n");
        Assert.Equal(1, (await Cli.RunAsync(Arguments("Square"))).ExitCode);
        var (output, log) = (await File.ReadAllTextAsync(OutputPath), await File.ReadAllTextAsync(LogPath));

        await AssertRefusedAsync("add --resume", Arguments("Square"));
        await AssertRefusedAsync("is of Resumable Square, not of Resumable Fail", [.. Arguments("Fail"), "--resume"]);
        await AssertRefusedAsync("is of SamplePlugin", ["map", Repository.SamplePlugin, "Square", .. Arguments("Square")[3..], "--resume"], "is of Resumable Square, not of SamplePlugin Square");
        await AssertRefusedAsync("--raw", [.. Arguments("Square"), "--raw", "--resume"]);
        await AssertRefusedAsync("write there", ["map", Plugin, "Square", "-i", InputPath, "--joblog", LogPath, "--resume"]);
        await AssertRefusedAsync("would be lost", ["map", Plugin, "Square", "-i", InputPath, "-o", OutputPath, "--joblog", LogPath + "2", "--resume"]);
        await AssertRefusedAsync("it cannot be the joblog too", ["map", Plugin, "Square", "-i", InputPath, "-o", OutputPath, "--joblog", OutputPath, "--resume"]);
        await AssertRefusedAsync("is no joblog", ["map", Plugin, "Square", "-i", InputPath, "--joblog", Path.Combine(Repository.Root, "LICENSE"), "--resume"]);
        await AssertRefusedAsync("it is a folder", ["map", Plugin, "Square", "-i", _folder]);
        await AssertRefusedAsync("cannot be opened for the joblog", ["map", Plugin, "Square", "-i", InputPath, "--joblog", _folder]);
        await AssertRefusedAsync("--joblog must be a file", ["map", Plugin, "Square", "--joblog", "-"]);
        await AssertRefusedAsync("--resume needs --joblog", ["map", Plugin, "Square", "--resume"]);
        await AssertRefusedAsync("--retries '-1'", ["map", Plugin, "Square", "--retries", "-1"]);

        await File.WriteAllTextAsync(InputPath, "0\n1\n2\n3\n");
        await AssertRefusedAsync("The input has 4 lines", [.. Arguments("Square"), "--resume"]);
        await File.WriteAllTextAsync(InputPath, "0\n\n1\n22\n");
        await AssertRefusedAsync("Line 4 of the input", [.. Arguments("Square"), "--resume"]);
        Assert.Equal(output, await File.ReadAllTextAsync(OutputPath));
        Assert.Equal(log, await File.ReadAllTextAsync(LogPath));

        async Task AssertRefusedAsync(string why, string[] arguments, string? insteadOf = null)
        {
            var result = await Cli.RunAsync(arguments);
            Assert.True((result.ExitCode, result.Output) == (2, "") && result.Error.Contains(insteadOf ?? why), $"Expected exit code 2 and '{insteadOf ?? why}', not {result.ExitCode}: {result.Output}{result.Error}");
        }
    }

    [Fact]
    public async Task A_device_keeps_nothing_and_a_run_into_it_can_be_repeated()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Writes to /dev/null.");
        await WriteInputAsync(3);
        string[] arguments = ["map", Plugin, "Square", "-i", InputPath, "-o", "/dev/null", "--joblog", LogPath, "--resume"];
        Assert.Equal(0, (await Cli.RunAsync(arguments)).ExitCode);
        var again = await Cli.RunAsync(arguments);
        Assert.True(again.ExitCode == 0 && again.Error.Contains("3 done before", StringComparison.Ordinal), $"Expected nothing to be left to do: {again.Error}");
    }

    [Fact]
    public async Task A_changed_plugin_goes_on_only_when_that_is_said()
    {
        var plugin = PluginSource.NewFolder("Changing");
        var path = Path.Combine(plugin, "Changing.dll");
        PluginSource.Compile(path, "public static class P { [EntryPoint] public static int Get(int value) => value == 1 ? throw new NotSupportedException() : value; }");
        await WriteInputAsync(3);
        string[] arguments = ["map", plugin, "Get", "-k", "-i", InputPath, "-o", OutputPath, "--joblog", LogPath, "--resume"];
        Assert.Equal(1, (await Cli.RunAsync(arguments)).ExitCode);
        PluginSource.Compile(path, "public static class P { [EntryPoint] public static int Get(int value) => value * 100; }");
        var refused = await Cli.RunAsync(arguments);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("has changed since", refused.Error);
        Assert.Equal(0, (await Cli.RunAsync([.. arguments, "--allow-changed-plugin"])).ExitCode);
        Assert.Equal([(0, 0), (1, 100), (2, 2)], Values());
        Assert.Equal(0, (await Cli.RunAsync(arguments)).ExitCode);
    }

    [Fact]
    public async Task A_joblog_in_use_and_one_that_cannot_be_written_are_errors()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Writes to /dev/full.");
        await WriteInputAsync(3);
        using (new FileStream(LogPath, FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            var used = await Cli.RunAsync(Arguments("Square"));
            Assert.Equal(2, used.ExitCode);
            Assert.Contains("in use, probably by another processpool", used.Error);
        }

        var full = await Cli.RunAsync("map", Plugin, "Square", "-i", InputPath, "-o", OutputPath, "--joblog", "/dev/full");
        Assert.Equal((1, ""), (full.ExitCode, full.Output));
        Assert.Contains("The joblog '/dev/full' cannot be written", full.Error);
    }

    [Fact]
    public async Task Standard_streams_that_are_closed_are_errors_and_nothing_waits()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Closes streams as a shell on Linux does.");
        var map = $"dotnet exec '{Cli.Program}' map '{Plugin}' Square";
        await AssertAsync(2, "Standard input is closed: give --input FILE, or something to read.\n", $"{map} 2>&1 <&-");
        await AssertAsync(2, "Standard output is closed: there is nowhere to write to.\n", $"echo 7 | {map} 2>&1 1>&- | cat; exit ${{PIPESTATUS[1]}}");
        await AssertAsync(0, "{\"index\":0,\"value\":49}\n", $"echo 7 | {map} 2>&-");

        static async Task AssertAsync(int exitCode, string output, string line)
        {
            var shell = await Cli.ShellAsync(line);
            Assert.Equal((exitCode, output), (shell.ExitCode, shell.Output));
        }
    }

    [Fact]
    public async Task An_interrupted_map_is_gone_on_with()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sends SIGINT.");
        await WriteInputAsync(300);
        string[] arguments = [.. Arguments("Wait"), "--env", "FROM=100", "--resume"];
        for (var run = 0; run < 2; run++)
        {
            using var interrupted = Cli.StartInterruptible(arguments);
            await Until.HoldsAsync(() => LogLines().Count(line => line.Contains("\tok\t", StringComparison.Ordinal)) == 100 && LogLines().Count(line => line.StartsWith('#')) == run + 1, "the lines before the gate are in the joblog");
            Cli.Interrupt(interrupted.Id);
            Assert.Contains("Finishing", await interrupted.StandardError.ReadLineAsync().Within("the first interrupt is answered"));
            Cli.Interrupt(interrupted.Id);
            await interrupted.WaitForExitAsync().Within("the interrupted program ends");
            Assert.Equal(130, interrupted.ExitCode);
        }

        await File.WriteAllTextAsync(Gate, "");
        Assert.Equal(0, (await Cli.RunAsync(arguments)).ExitCode);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => (long)i), Values().Select(value => value.Index).Order());
    }

    private string[] Arguments(string entryPoint) => ["map", Plugin, entryPoint, "-i", InputPath, "-o", OutputPath, "--joblog", LogPath, "--env", $"GATE={Gate}"];

    private Task WriteInputAsync(int lines) => File.WriteAllLinesAsync(InputPath, Enumerable.Range(0, lines).Select(i => $"{i}"));

    private List<(long Index, long Value)> Values() =>
        [.. File.ReadLines(OutputPath).Select(line => JsonDocument.Parse(line).RootElement).Select(line => (line.GetProperty("index").GetInt64(), line.GetProperty("value").GetInt64()))];

    // Beside its writer, which has locked it: .NET's own way of reading would ask for the lock.
    private List<string> LogLines()
    {
        using var cat = Cli.StartBy("cat", LogPath);
        var lines = cat.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        cat.WaitForExit();
        return [.. lines];
    }
}
