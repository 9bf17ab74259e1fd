using System.Runtime.InteropServices;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>Hosts of several kinds, built as their users build them.</summary>
public sealed class HostKindTests
{
    private static readonly string[] Expected = ["49", "6", "The result of Square cannot be read as Unknown: Nothing is known of Unknown"];

    // The software development kit takes a minute for each kind.
    private static void SkipUnlessAsked() => Assert.SkipUnless(
        Full.IsAsked, $"Building a host as its users do takes up to a minute. {Full.HowToAsk}");

    [Fact]
    public async Task A_host_that_is_compiled_ahead_of_time_calls_a_plugin_by_name_and_through_its_contract()
    {
        SkipUnlessAsked();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The linker's name is looked for as on Linux.");
        Assert.SkipUnless(Finds("clang") || Finds("gcc"), "Native AOT needs clang or gcc to link; neither is in PATH.");
        var output = await Dotnet.PublishHostAsync("AotHost");
        Check(await RunAsync(Path.Combine(output, "AotHost"), Repository.SamplePlugin));
    }

    [Fact]
    public async Task A_host_of_one_file_calls_a_plugin()
    {
        SkipUnlessAsked();
        Check(await Dotnet.RunAsync("run", Path.Combine(Repository.Root, "tests", "Hosts", "FileHost", "host.cs"), "--", Repository.SamplePlugin));
    }

    [Theory]
    [InlineData("SingleFile")]
    [InlineData("SelfContained")]
    public async Task A_host_and_its_plugin_have_different_versions_of_a_library_however_the_host_is_published(string kind)
    {
        SkipUnlessAsked();
        var output = await Dotnet.PublishHostAsync("PlainHost", $"-p:HostKind={kind}");
        var run = await RunAsync(Path.Combine(output, "PlainHost"), Path.Combine(Repository.Plugins, "JsonNine"));
        Assert.True(run.ExitCode == 0, $"Expected exit code 0, got {run.ExitCode}:\n{run.Output}{run.Error}");
        Assert.StartsWith("13.0.0.0 9.0.0.0 ", Assert.Single(run.Lines));
    }

    private static void Check(CliResult result)
    {
        Assert.True(result.ExitCode == 0, $"Expected exit code 0, got {result.ExitCode}:\n{result.Output}{result.Error}");
        Assert.Equal(Expected[..2], result.Lines[..2]);
        Assert.StartsWith(Expected[2], result.Lines[2]);
        Assert.Contains("[JsonSerializable(typeof(Unknown))]", result.Lines[2]);
    }

    private static bool Finds(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    private static Task<CliResult> RunAsync(string program, params string[] arguments) => Dotnet.RunAsync(program, Repository.Root, new Dictionary<string, string>(), arguments);
}
