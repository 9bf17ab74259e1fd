using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

public sealed partial class CliTopTests
{
    private static readonly string Plugin = PluginSource.Members("""
        [EntryPoint] public static int Wait(int value)
        {
            var folder = Environment.GetEnvironmentVariable("FOLDER");
            File.WriteAllText(Path.Combine(folder, $"begun-{value}"), "");
            while (!File.Exists(Path.Combine(folder, "gate")))
            {
                Thread.Sleep(10);
            }

            return value;
        }
        """, "Gated");

    private readonly string _folder = PluginSource.NewFolder("top");

    [Fact]
    public async Task Top_shows_the_workers_of_another_process_while_they_work_and_after()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks for processes in /proc.");
        using var map = Cli.Start("map", Plugin, "Wait", "-j", "2", "--env", $"FOLDER={_folder}");
        var host = map.Id.ToString(CultureInfo.InvariantCulture);
        await map.StandardInput.WriteAsync("1\n2\n");
        await map.StandardInput.FlushAsync();
        await Until.HoldsAsync(() => Directory.GetFiles(_folder, "begun-*").Length == 2, "two calls are executing");
        var sandboxes = Sandboxes.Of(map.Id);

        var busy = await PoolOfAsync(host);
        Assert.Equal(("Gated", "running", 2, 0, 0L), (busy.GetProperty("name").GetString(), busy.GetProperty("state").GetString(), busy.GetProperty("size").GetInt32(), busy.GetProperty("queued").GetInt32(), busy.GetProperty("calls").GetInt64()));
        Assert.Equal(0, busy.GetProperty("callsPerSecond").GetDouble());
        var workers = busy.GetProperty("workers").EnumerateArray().ToList();
        Assert.Equal(sandboxes.Order(), workers.Select(worker => worker.GetProperty("processId").GetInt32()).Order());
        Assert.All(workers, worker => Assert.Equal("busy", worker.GetProperty("state").GetString()));
        Assert.All(workers, worker => Assert.True(worker.GetProperty("residentBytes").GetInt64() > 0, $"Expected {worker} to have memory."));

        await File.WriteAllTextAsync(Path.Combine(_folder, "gate"), "");
        for (var line = 0; line < 2; line++)
        {
            Assert.NotNull(await map.StandardOutput.ReadLineAsync().Within("a call ends"));
        }

        var idle = await PoolOfAsync(host);
        Assert.Equal(2, idle.GetProperty("calls").GetInt64());
        Assert.All(idle.GetProperty("workers").EnumerateArray(), worker => Assert.Equal(("idle", 1L), (worker.GetProperty("state").GetString(), worker.GetProperty("calls").GetInt64())));
        var table = await Cli.RunAsync("top", host, "--once");
        Assert.Equal((0, ""), (table.ExitCode, table.Error));
        Assert.Contains("Gated  running  2 of 2 workers  0 queued  2 calls  0.0/s  0 failed", table.Lines);
        Assert.All(sandboxes, sandbox => Assert.Contains(table.Lines, line => line.Contains($" {sandbox} ", StringComparison.Ordinal)));
        Assert.DoesNotContain('\u001b', table.Output);

        map.StandardInput.Close();
        await map.WaitForExitAsync().Within("the map ends");
        Assert.Equal(0, map.ExitCode);
        var gone = await Cli.RunAsync("top", host);
        Assert.Equal((2, "", $"There is no process {host}.\n"), (gone.ExitCode, gone.Output, gone.Error));
    }

    [Fact]
    public async Task On_a_terminal_the_table_is_drawn_until_q_and_what_is_longer_than_a_line_is_cut()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "There is no script (util-linux) to make a terminal with.");
        const int Columns = 60;
        using var map = Cli.Start("map", Repository.SamplePlugin, "Square", "-j", "1");
        await map.StandardInput.WriteLineAsync("7");
        await map.StandardInput.FlushAsync();
        Assert.NotNull(await map.StandardOutput.ReadLineAsync().Within("the call ends"));

        using var top = Cli.StartBy("env", "TERM=xterm-256color", "script", "-qec", $"stty cols {Columns} rows 20; dotnet exec '{Cli.Program}' top {map.Id}", "/dev/null");
        var lines = new List<string>();
        while (!lines.Exists(line => line.Contains("0.0/s", StringComparison.Ordinal)))
        {
            var line = await top.StandardOutput.ReadLineAsync().Within("the table is drawn a second time, with rates");
            lines.Add(EscapeCode().Replace(line ?? throw new InvalidOperationException($"Expected rates, but top ended: {string.Join('\n', lines)}"), ""));
        }

        await top.StandardInput.WriteAsync('q');
        await top.StandardInput.FlushAsync();
        await top.StandardOutput.ReadToEndAsync().Within("q ends it");
        await top.WaitForExitAsync().Within("q ends it");
        Assert.Equal(0, top.ExitCode);
        Assert.Matches($"^process {map.Id} \\(q ends\\)  .*… *$", lines[0]);
        Assert.Equal("", lines[1].Trim());
        Assert.All(lines, line => Assert.True(line.Length <= Columns, $"Expected no more than {Columns} characters: '{line}'"));

        map.StandardInput.Close();
        await map.WaitForExitAsync().Within("the map ends");
    }

    [Fact]
    public async Task What_cannot_be_watched_is_a_message_that_says_why()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Starts sleep.");
        using var sleep = OwnProcess.Start(new("sleep", "600"));
        var other = await Cli.RunAsync("top", sleep.Id.ToString(CultureInfo.InvariantCulture), "--once");
        Assert.Equal((2, ""), (other.ExitCode, other.Output));
        Assert.Contains("has no diagnostics port: it is no .NET process", other.Error);

        var word = await Cli.RunAsync("top", "nginx");
        Assert.Equal((2, ""), (word.ExitCode, word.Output));
        Assert.StartsWith("'nginx' is not the number of a process.", word.Error);
    }

    [GeneratedRegex(@"\e(\[[0-9;?]*[A-Za-z]|=)")]
    private static partial Regex EscapeCode();

    private static async Task<JsonElement> PoolOfAsync(string processId)
    {
        var result = await Cli.RunAsync("top", processId, "--json");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        var document = JsonDocument.Parse(result.Output).RootElement;
        Assert.Equal(processId, $"{document.GetProperty("processId")}");
        return Assert.Single(document.GetProperty("pools").EnumerateArray());
    }
}
