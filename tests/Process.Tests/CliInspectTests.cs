using System.Text.Json;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

public sealed class CliInspectTests
{
    [Fact]
    public async Task Inspect_shows_what_a_plugin_offers_and_needs_without_running_it()
    {
        var result = await Cli.RunAsync("inspect", Path.Combine(Repository.Plugins, "Thumbnails"));
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Create(byte[] image, int size) → byte[]", result.Output);
        Assert.Contains("SkiaSharp 4.155.0.0 (shipped)", result.Output);
        Assert.Contains("libSkiaSharp", result.Output);
        Assert.Contains("sha256:", result.Output);
        Assert.DoesNotContain("in a worker", result.Output);
    }

    [Fact]
    public async Task Inspect_with_load_shows_where_each_assembly_comes_from_as_json_too()
    {
        var result = await Cli.RunAsync("inspect", Path.Combine(Repository.Plugins, "JsonNine"), "--load", "--json");
        Assert.Equal(0, result.ExitCode);
        var plugin = JsonDocument.Parse(result.Output).RootElement;
        Assert.Equal("JsonNine", plugin.GetProperty("name").GetString());
        var load = plugin.GetProperty("load").EnumerateArray().ToDictionary(entry => entry.GetProperty("name").GetString()!);
        Assert.Equal(("private", "9.0.0.0"), (load["Newtonsoft.Json"].GetProperty("source").GetString(), load["Newtonsoft.Json"].GetProperty("version").GetString()));
        Assert.Equal("framework", load["System.Runtime"].GetProperty("source").GetString());
        Assert.Equal("shared", load["ProcessPool.Abstractions"].GetProperty("source").GetString());
    }

    [Fact]
    public async Task Inspect_of_what_cannot_be_loaded_says_why_and_ends_with_3()
    {
        var folder = PluginSource.NewFolder("broken");
        File.WriteAllText(Path.Combine(folder, "broken.dll"), "junk");
        var result = await Cli.RunAsync("inspect", folder);
        Assert.Equal((3, ""), (result.ExitCode, result.Output));
        Assert.Contains("damaged", result.Error);
    }

    [Theory]
    [InlineData("inspect artifacts/plugins/SamplePlugin > /dev/full", 1, "Input or output ended early")]
    [InlineData("map --help > /dev/full", 1, "Input or output ended early")]
    [InlineData("doctor --json > /dev/full", 1, "Input or output ended early")]
    [InlineData("run artifacts/plugins/SamplePlugin Square 7 2> /dev/full", 0, "")]
    [InlineData("run artifacts/plugins/SamplePlugin Square", 1, "")]
    public async Task What_a_verb_cannot_write_is_a_message_and_no_stack_trace(string command, int exitCode, string error)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Writes to /dev/full.");
        var result = await Cli.ShellAsync($"dotnet exec '{Cli.Program}' {command}");
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(error, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_that_cannot_start_a_sandbox_is_told_so_by_every_verb()
    {
        foreach (var verb in new[] { "doctor", "inspect artifacts/plugins/SamplePlugin --load", "run artifacts/plugins/SamplePlugin Square 7" })
        {
            var result = await Cli.ShellAsync($"PROCESSPOOL_SANDBOX_PATH=/none dotnet exec '{Cli.Program}' {verb}");
            Assert.True(result.ExitCode == 3 && result.Error.Contains("/none", StringComparison.Ordinal) && !result.Error.Contains("   at ", StringComparison.Ordinal), $"Expected '{verb}' to end with 3 and to say why: {result.Error}");
        }
    }

    [Fact]
    public async Task Inspect_confines_what_it_loads()
    {
        var result = await Cli.RunAsync("inspect", Repository.SamplePlugin, "--load", "--confine", "none", "--memory", "512M");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("Confinement at level None has limits", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_of_nothing_is_a_usage_error() => Assert.Equal(2, (await Cli.RunAsync("inspect", "")).ExitCode);

    [Fact]
    public async Task List_as_json_has_every_plugin_of_a_drop_folder_and_what_is_wrong_with_the_broken_ones()
    {
        var folder = PluginSource.NewFolder("drop");
        PluginSource.Compile(Path.Combine(folder, "bare.dll"), "public static class P { [EntryPoint] public static int One() => 1; }");
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "junk")).FullName, "junk.dll"), "junk");
        var result = await Cli.RunAsync("list", folder, "--json");
        Assert.Equal(1, result.ExitCode);
        var plugins = JsonDocument.Parse(result.Output).RootElement.EnumerateArray().ToList();
        Assert.Equal(["bare", "junk"], plugins.Select(plugin => plugin.GetProperty("name").GetString()));
        Assert.Equal("One() → int", plugins[0].GetProperty("entryPoints")[0].GetProperty("signature").GetString());
        Assert.Contains("damaged", plugins[1].GetProperty("error").GetString());
    }
}
