using System.Text.Json;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

public sealed class CliTests
{
    private static readonly string Sample = Repository.SamplePlugin;

    private static readonly string Odd = PluginSource.Members("""
        [EntryPoint] public static string Join(string first, string second = "b") => first + second;
        [EntryPoint] public static int Sum(int[] numbers) => numbers.Sum();
        [EntryPoint] public static string Echo(System.Text.Json.JsonElement value) => value.GetRawText();
        [EntryPoint] public static byte[] Bytes() => new byte[] { 1, 2 };
        [EntryPoint] public static int Loud() { Console.WriteLine("not data"); return 1; }
        [EntryPoint] public static Broken Break() => new Broken();
        [EntryPoint] public static async IAsyncEnumerable<int> Count(int to) { for (var i = 0; i < to; i++) { yield return i; } await Task.CompletedTask; }
        [EntryPoint] public static void Throw() => throw new NotSupportedException("no");
        [EntryPoint] public static void Spin() { Console.WriteLine("spinning"); while (true) { } }
        [EntryPoint, Idempotent] public static string Fill(int length) { while (length < 0) { } return new string('x', length); }
        [EntryPoint] public static void Exit() => Environment.Exit(5);
        [EntryPoint] public static string Variable(string name) => Environment.GetEnvironmentVariable(name);

        [JsonConverter(typeof(Half))] public class Broken { }

        /// Half a character.
        public class Half : JsonConverter<Broken>
        {
            public override Broken Read(ref System.Text.Json.Utf8JsonReader reader, Type type, System.Text.Json.JsonSerializerOptions options) => null;
            public override void Write(System.Text.Json.Utf8JsonWriter writer, Broken value, System.Text.Json.JsonSerializerOptions options) => writer.WriteRawValue("\"\\ud800\"", true);
        }
        """, "Odd");

    [Fact]
    public async Task List_shows_plugins_and_signatures()
    {
        var result = await Cli.RunAsync("list", Path.GetDirectoryName(Sample)!);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("SamplePlugin", result.Lines);
        Assert.Contains("  Square(long value) → long", result.Lines);
        Assert.Contains("  ITextAnalyzer.AnalyzeFileAsync(string path) → TextStatistics", result.Lines);
        Assert.Contains("  Join(string first, [string second]) → string", (await Cli.RunAsync("list", Odd)).Lines);
        Assert.Equal(3, (await Cli.RunAsync("list", "/no/such/folder")).ExitCode);
    }

    [Theory]
    [InlineData("--help", "list")]
    [InlineData("map --help", "seq 1 100000")]
    [InlineData("run -h", "Examples:")]
    [InlineData("--version", "0.1")]
    public async Task Help_is_data_and_has_examples(string arguments, string expected)
    {
        var result = await Cli.RunAsync(arguments.Split(' '));
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains(expected, result.Output);
    }

    [Theory]
    [InlineData("49", "Square", "7")]
    [InlineData("49", "Square", "-7")]
    public async Task Run_prints_the_result_as_one_line_of_json(string expected, string entryPoint, string argument)
    {
        var result = await Cli.RunAsync("run", Sample, entryPoint, argument);
        Assert.Equal((0, expected + "\n"), (result.ExitCode, result.Output));
    }

    [Fact]
    public async Task Run_reads_json_or_plain_strings_and_keeps_data_and_output_apart()
    {
        Assert.Equal("\"xb\"\n", (await Cli.RunAsync("run", Odd, "Join", "x")).Output);
        Assert.Equal("\"@x y\"\n", (await Cli.RunAsync("run", Odd, "Join", "@x", " y")).Output);
        Assert.Equal("6\n", (await Cli.RunAsync("run", Odd, "Sum", "[1,2,3]")).Output);
        Assert.Equal("\"AQI=\"\n", (await Cli.RunAsync("run", Odd, "Bytes")).Output);
        foreach (var mode in new[] { "--gpu=off", "--debug" })
        {
            var loud = await Cli.RunAsync("run", Odd, "Loud", mode);
            Assert.Equal("1\n", loud.Output);
            Assert.Contains("not data", loud.Error);
        }

        Assert.Equal("{\"value\":\"xb\"}\n", (await Cli.RunAsync("run", Odd, "Join", "x", "--json")).Output);
        Assert.StartsWith("{\"error\":{\"kind\":\"plugin\",\"type\":\"System.NotSupportedException\"", (await Cli.RunAsync("run", Odd, "Throw", "--json")).Output);
        Assert.Contains("\"lines\":", (await Cli.RunAsync("run", Sample, "TextStatistics", "LICENSE")).Output);
        Assert.Equal("\"v=1\"\n", (await Cli.RunAsync("run", Odd, "Variable", "K", "--env", "K=v=1")).Output);
    }

    [Fact]
    public async Task A_stream_is_an_array_and_an_array_is_a_stream()
    {
        Assert.Equal("[0,1,2]\n", (await Cli.RunAsync("run", Odd, "Count", "3")).Output);
        Assert.Equal(["""{"index":0,"value":[]}""", """{"index":1,"value":[0]}"""], (await Cli.RunWithInputAsync("0\n1\n", "map", Odd, "Count", "-k")).Lines);
    }

    [Fact]
    public async Task A_line_and_a_result_with_half_a_character_cost_their_own_call()
    {
        var lines = (await Cli.RunWithInputAsync("1\n{\"\\ud800\":1}\n3\n", "map", Sample, "Square", "-k")).Lines;
        Assert.Equal(3, lines.Length);
        Assert.Contains("\"kind\":\"argument\"", lines[1]);
        Assert.Equal("""{"index":2,"value":9}""", lines[2]);
        var broken = await Cli.RunWithInputAsync("{}\n", "map", Odd, "Break", "-k");
        Assert.Equal(1, broken.ExitCode);
        Assert.Contains("\"kind\":\"argument\"", Assert.Single(broken.Lines));
        Assert.Equal((1, ""), ((await Cli.RunAsync("run", Odd, "Break")).ExitCode, (await Cli.RunAsync("run", Odd, "Break")).Output));
    }

    [Fact]
    public async Task An_input_that_is_the_output_by_another_name_is_kept()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Makes a hard link with ln.");
        var folder = PluginSource.NewFolder();
        var input = Path.Combine(folder, "in");
        await File.WriteAllTextAsync(input, "1\n");
        using var link = System.Diagnostics.Process.Start("ln", [input, Path.Combine(folder, "out")]);
        await link.WaitForExitAsync();
        Assert.Equal(2, (await Cli.RunAsync("map", Sample, "Square", "-i", input, "-o", Path.Combine(folder, "out"))).ExitCode);
        Assert.Equal("1\n", await File.ReadAllTextAsync(input));
    }

    [Theory]
    [InlineData(1, "NotSupportedException: no", "run", "{odd}", "Throw")]
    [InlineData(1, "exit code 5", "run", "{odd}", "Exit")]
    [InlineData(1, "did not end within", "run", "{odd}", "Spin", "--timeout", "200ms")]
    [InlineData(1, "cannot be read as long", "run", "{sample}", "Square", "x")]
    [InlineData(2, "Required argument missing", "run", "{sample}")]
    [InlineData(2, "not a number of workers", "map", "{sample}", "Square", "-j", "0")]
    [InlineData(2, "not a duration", "map", "{sample}", "Square", "--timeout", "5")]
    [InlineData(2, "not of the form K=V", "run", "{sample}", "Square", "7", "--env", "K")]
    [InlineData(2, "'maybe'", "run", "{sample}", "Square", "7", "--gpu", "maybe")]
    [InlineData(2, "no-such-file", "map", "{sample}", "Square", "-i", "no-such-file")]
    [InlineData(3, "has no entry point 'Nope'", "run", "{sample}", "Nope")]
    [InlineData(3, "Square(long value)", "map", "{sample}", "square")]
    [InlineData(3, "there is no such file or folder", "run", "/no/such/plugin", "Square")]
    public async Task Failures_are_exit_codes_with_a_message_and_no_data(int exitCode, string message, params string[] arguments)
    {
        var result = await Cli.RunAsync([.. arguments.Select(argument => argument.Replace("{sample}", Sample).Replace("{odd}", Odd))]);
        Assert.Equal((exitCode, ""), (result.ExitCode, result.Output));
        Assert.Contains(message, result.Error);
    }

    [Fact]
    public async Task Map_binds_each_kind_of_line_and_writes_one_line_for_each()
    {
        var result = await Cli.RunWithInputAsync("\"a\"\n\n[\"a\",\"c\"]\n  \n{\"second\":\"d\",\"first\":\"c\"}\n{\"third\":1}\nnot json\n", "map", Odd, "Join", "-k");
        Assert.Equal(1, result.ExitCode);
        var lines = result.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal([0, 1, 2, 3, 4], lines.Select(line => line.GetProperty("index").GetInt32()));
        Assert.Equal(["ab", "ac", "cd"], lines.Take(3).Select(line => line.GetProperty("value").GetString()!));
        Assert.All(lines.Skip(3), line => Assert.Equal("argument", line.GetProperty("error").GetProperty("kind").GetString()));
        Assert.Contains("5 calls: 3 succeeded, 2 failed (2 argument)", result.Error);

        Assert.Equal("{\"index\":0,\"value\":6}\n", (await Cli.RunWithInputAsync("[1,2,3]\n", "map", Odd, "Sum")).Output);
        Assert.Equal("{\"index\":0,\"value\":\"{\\\"a\\\":1}\"}\n", (await Cli.RunWithInputAsync("{\"a\":1}", "map", Odd, "Echo")).Output);
        Assert.Equal("{\"index\":0,\"value\":\"a \\\"b\\\"b\"}\n", (await Cli.RunWithInputAsync("a \"b\"\n", "map", Odd, "Join", "--raw")).Output);
    }

    [Fact]
    public async Task Map_reports_a_crash_in_its_line_and_goes_on()
    {
        var input = string.Concat(Enumerable.Range(0, 300).Select(i => i == 150 ? "\"x\"\n" : $"{i}\n"));
        var result = await Cli.RunWithInputAsync(input, "map", Sample, "Square", "-j", "1.0");
        var lines = result.Lines.Select(line => JsonDocument.Parse(line).RootElement).OrderBy(line => line.GetProperty("index").GetInt32()).ToList();
        Assert.Equal((1, 300), (result.ExitCode, lines.Count));
        Assert.All(lines.Where((_, index) => index != 150), line => Assert.Equal(Math.Pow(line.GetProperty("index").GetInt32(), 2), line.GetProperty("value").GetDouble()));

        Assert.SkipUnless(OperatingSystem.IsLinux(), "The rest calls memcpy of the C library.");
        var crash = JsonDocument.Parse((await Cli.RunWithInputAsync("16\n", "map", Sample, "PeekNative")).Output).RootElement.GetProperty("error");
        Assert.Equal(("crash", "WorkerCrashedException", 139, "SIGSEGV"), (
            crash.GetProperty("kind").GetString(), crash.GetProperty("type").GetString(), crash.GetProperty("exitCode").GetInt32(), crash.GetProperty("signal").GetString()));
        Assert.StartsWith("SamplePlugin-", crash.GetProperty("worker").GetString());
    }

    [Fact]
    public async Task Map_reads_and_writes_files()
    {
        var folder = PluginSource.NewFolder();
        var (input, output) = (Path.Combine(folder, "in"), Path.Combine(folder, "out"));
        await File.WriteAllTextAsync(input, "1\n2\n3");
        var result = await Cli.RunAsync("map", Sample, "Square", "-i", input, "-o", output, "-k");
        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        string[] squares = ["{\"index\":0,\"value\":1}", "{\"index\":1,\"value\":4}", "{\"index\":2,\"value\":9}"];
        Assert.Equal(squares, await File.ReadAllLinesAsync(output));

        Assert.Equal(3, (await Cli.RunAsync("map", Sample, "Nope", "-i", input, "-o", output)).ExitCode);
        Assert.Equal(squares, await File.ReadAllLinesAsync(output));
        Assert.Equal(2, (await Cli.RunAsync("map", Sample, "Square", "-i", input, "-o", input)).ExitCode);
        Assert.Equal(2, (await Cli.RunAsync("map", Sample, "Square", "-i", input, "-o", folder)).ExitCode);
        Assert.Equal(0, (await Cli.RunWithInputAsync("7", "map", Sample, "Square", "-o", output)).ExitCode);
        Assert.Equal("{\"index\":0,\"value\":49}\n", await File.ReadAllTextAsync(output));
    }

    [Fact]
    public async Task An_output_that_cannot_be_written_is_a_message_and_no_stack_trace()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Writes to /dev/full.");
        var result = await Cli.RunWithInputAsync("7", "map", Sample, "Square", "-o", "/dev/full");
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("Input or output ended early", result.Error);
        Assert.Contains("1 calls: 1 succeeded, 0 failed, 1 of which the output may lack", result.Error);
        Assert.DoesNotContain("   at ", result.Error);
    }

    [Fact]
    public async Task An_output_that_cannot_be_written_ends_calls_that_would_not_end_by_themselves()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Writes to /dev/full.");
        // The first result is larger than what is kept back for one write; the second never comes.
        var result = await Cli.RunWithInputAsync("100000\n-1\n", "map", Odd, "Fill", "-o", "/dev/full", "--retries", "1", "-j", "1");
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("Input or output ended early", result.Error);
    }

    [Fact]
    public async Task Map_ends_when_nobody_reads_its_output()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs a shell with pipes.");
        var shell = await Cli.ShellAsync($"yes 7 2>/dev/null | dotnet exec '{Cli.Program}' map '{Sample}' Square | head -n 1; echo ${{PIPESTATUS[1]}}");
        Assert.EndsWith("\"value\":49}\n141\n", shell.Output);
        Assert.Equal("", shell.Error);
    }

    [Fact]
    public async Task The_first_interrupt_drains_and_the_second_kills()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sends SIGINT.");
        using (var draining = Cli.StartInterruptible("map", Sample, "Square", "-k"))
        {
            await draining.StandardInput.WriteLineAsync("7");
            await draining.StandardInput.FlushAsync();
            Assert.Equal("{\"index\":0,\"value\":49}", await draining.StandardOutput.ReadLineAsync().Within("the first line comes while input is open"));
            Cli.Interrupt(draining.Id);
            await draining.WaitForExitAsync().Within("the drained program ends");
            Assert.Equal(130, draining.ExitCode);
        }

        using var spinning = Cli.StartInterruptible("map", Odd, "Spin");
        await spinning.StandardInput.WriteLineAsync("{}");
        spinning.StandardInput.Close();
        while (await spinning.StandardError.ReadLineAsync().Within("the call begins") is { } line && !line.Contains("spinning", StringComparison.Ordinal))
        {
        }

        var sandboxes = Sandboxes.Of(spinning.Id);
        Assert.NotEmpty(sandboxes);
        Cli.Interrupt(spinning.Id);
        Assert.Equal("Finishing the calls that were begun. A second Ctrl+C or SIGTERM kills them and ends at once.", await spinning.StandardError.ReadLineAsync().Within("the first interrupt is answered"));
        Cli.Interrupt(spinning.Id);
        await spinning.WaitForExitAsync().Within("the killed program ends");
        Assert.Equal(130, spinning.ExitCode);
        Assert.DoesNotContain(sandboxes, Sandboxes.IsAlive);
    }

    [Fact]
    public async Task The_second_interrupt_ends_a_map_that_writes_to_somebody_who_does_not_read()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sends SIGINT.");
        using var stuck = Cli.StartInterruptible("map", Odd, "Fill");
        await stuck.StandardInput.WriteLineAsync("10000000");
        await stuck.StandardInput.FlushAsync();
        Assert.Equal(1, await stuck.StandardOutput.BaseStream.ReadAsync(new byte[1]).AsTask().Within("the line is being written"));
        var sandboxes = Sandboxes.Of(stuck.Id);
        Assert.NotEmpty(sandboxes);
        Cli.Interrupt(stuck.Id);
        await stuck.StandardError.ReadLineAsync().Within("the first interrupt is answered");
        Cli.Interrupt(stuck.Id);
        await stuck.WaitForExitAsync().Within("the stuck program ends");
        Assert.Equal(130, stuck.ExitCode);
        await Until.HoldsAsync(() => !sandboxes.Any(Sandboxes.IsAlive), "the sandboxes end with their host");
    }

    [Fact]
    public async Task A_host_that_is_killed_takes_its_sandboxes_with_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks for processes in /proc.");
        using var host = Cli.Start("run", Odd, "Spin");
        while (await host.StandardError.ReadLineAsync().Within("the call begins") is { } line && !line.Contains("spinning", StringComparison.Ordinal))
        {
        }

        var sandbox = Assert.Single(Sandboxes.Of(host.Id));
        using var orphan = System.Diagnostics.Process.GetProcessById(sandbox);
        host.Kill();
        await orphan.WaitForExitAsync().Within("the orphan ends");
        Assert.False(Sandboxes.IsAlive(sandbox), $"Expected sandbox {sandbox} to be gone.");
    }

    [Fact]
    public async Task Several_runs_into_one_file_write_one_after_the_other()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The shell's way of sharing a file is that of Unix.");
        var file = Path.Combine(PluginSource.NewFolder("output"), "squares");
        var run = $"dotnet exec '{Cli.Program}' run '{Repository.SamplePlugin}' Square";
        await Cli.ShellAsync($"({run} 7; {run} 8; echo end) > '{file}'");
        Assert.Equal(["49", "64", "end"], await File.ReadAllLinesAsync(file));
    }
}
