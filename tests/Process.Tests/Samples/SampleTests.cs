using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Samples;

/// <summary>The programs of samples/, as their first lines say they are run.</summary>
public sealed class SampleTests
{
    [Fact]
    public async Task The_quick_start_shows_a_crash_that_costs_one_call()
    {
        using var sample = Sample.Start("QuickStart");
        var result = await sample.EndAsync();
        Assert.True(result.ExitCode == 0, $"Expected success: {result.Output}{result.Error}");
        Assert.Contains("7 * 7 = 49", result.Lines);
        Assert.Contains("99 of 100 calls succeeded, 1 failed:", result.Lines);
        Assert.Contains(result.Lines, line => line.Contains("SIGSEGV", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_map_makes_what_it_can_and_names_what_it_cannot()
    {
        var source = PluginSource.NewFolder("pictures");
        var target = PluginSource.NewFolder("thumbnails");
        await File.WriteAllBytesAsync(Path.Combine(source, "a.png"), Images.TransparentPixel);
        await File.WriteAllTextAsync(Path.Combine(source, "b.txt"), "no image");
        await File.WriteAllBytesAsync(Path.Combine(source, "c.png"), Images.TransparentPixel);
        using var sample = Sample.Start("ConsoleMap", source, target);
        var result = await sample.EndAsync();
        Assert.Equal([$"2 thumbnails in {target}, 1 files failed"], result.Lines);
        Assert.Contains("b.txt: CreateFileAsync threw System.IO.InvalidDataException", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(["a.png", "c.png"], Directory.GetFiles(target).Select(Path.GetFileName).Order());
        Assert.True(Images.IsPng(await File.ReadAllBytesAsync(Path.Combine(target, "a.png"))), "Expected a thumbnail.");
    }

    [Fact]
    public async Task The_map_says_what_it_has_made_when_it_is_interrupted()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sends SIGINT, and makes a pipe.");
        var source = PluginSource.NewFolder("pictures");
        var target = PluginSource.NewFolder("thumbnails");
        var picture = Path.Combine(source, "endless.png");
        Assert.Equal(0, (await Cli.ShellAsync($"mkfifo '{picture}'")).ExitCode);
        using var sample = Sample.StartInterruptible("ConsoleMap", source, target);
        // Opened as soon as the plugin opens it; then the plugin waits for what is never written.
        await using var writer = await Task.Run(() => new FileStream(picture, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)).Within("the plugin opens the picture");
        Cli.Interrupt(sample.ProcessId);
        var result = await sample.EndAsync();
        Assert.Equal((130, ""), (result.ExitCode, result.Error));
        Assert.Equal([$"0 thumbnails in {target}, 0 files failed"], result.Lines);
    }

    [Fact]
    public async Task The_watched_folder_takes_a_plugin_that_is_put_there_and_says_so_when_it_goes()
    {
        var folder = PluginSource.NewFolder("drop");
        using var sample = Sample.Start("WatchedFolder", folder);
        var plugin = PluginSource.Members("[EntryPoint] public static long Square(long x) => x * x;", "Dropped");
        File.Copy(Path.Combine(plugin, "Dropped.dll"), Path.Combine(folder, "Dropped.dll"));
        await sample.LineAsync(line => line == "Dropped is Added", "the plugin is added");
        await sample.Input.WriteLineAsync("Dropped Square [7]");
        await sample.LineAsync(line => line == "49", "the call is answered");
        await sample.Input.WriteLineAsync("nonsense");
        await sample.Input.WriteLineAsync("Missing Square [7]");
        File.Delete(Path.Combine(folder, "Dropped.dll"));
        await sample.LineAsync(line => line == "Dropped is Removed", "the plugin is removed");
        var result = await sample.EndAsync();
        Assert.True(result.ExitCode == 0 && result.Error.Contains("A line is a plugin", StringComparison.Ordinal) && result.Error.Contains("Missing", StringComparison.Ordinal), $"Expected both faults to be said, and success: {result.Error}");
    }

    [Fact]
    public async Task The_console_exporter_shows_one_trace_with_the_plugins_span_and_log_line_and_the_metrics()
    {
        using var sample = Sample.Start("OpenTelemetry");
        var result = await sample.EndAsync();
        Assert.True(result.ExitCode == 0, $"Expected success: {result.Error}");
        Assert.Contains("Hello, Ada!", result.Lines);
        var names = result.Lines.Where(line => line.StartsWith("Activity.DisplayName:", StringComparison.Ordinal)).Select(line => line.Split(':', 2)[1].Trim()).Order(StringComparer.Ordinal);
        Assert.Equal(["IGreeter.GreetAsync", "IGreeter.GreetAsync", "greet", "welcome"], names);
        Assert.Single(result.Lines.Where(line => line.StartsWith("Activity.TraceId:", StringComparison.Ordinal)).Select(line => line.Split(':', 2)[1].Trim()).Distinct());
        var trace = result.Lines.First(line => line.StartsWith("Activity.TraceId:", StringComparison.Ordinal)).Split(':', 2)[1].Trim();
        Assert.Contains(result.Lines, line => line.StartsWith("LogRecord.TraceId:", StringComparison.Ordinal) && line.EndsWith(trace, StringComparison.Ordinal));
        Assert.Contains(result.Lines, line => line.StartsWith("LogRecord.CategoryName:", StringComparison.Ordinal) && line.EndsWith("GreetingPlugin.Greeter", StringComparison.Ordinal));
        Assert.Contains(result.Lines, line => line.Contains("Pool:greeter Worker:greeter-0", StringComparison.Ordinal) || line.Contains("Worker: greeter-0", StringComparison.Ordinal));
        Assert.Contains(result.Lines, line => line.Contains("processpool.client.operation.duration", StringComparison.Ordinal));
    }
}
