using System.Runtime.InteropServices;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>What a plugin's author gets from the packages: projects as he writes them, built as he builds them, and called.</summary>
public sealed class PluginSdkTests(PluginSdkFixture sdk) : IClassFixture<PluginSdkFixture>
{
    [Fact]
    public async Task Five_lines_are_a_plugin()
    {
        Assert.Empty(sdk.WarningsOf("FiveLines"));
        Assert.Equal(["FiveLines.deps.json", "FiveLines.dll", "FiveLines.pdb", "FiveLines.runtimeconfig.json", "FiveLines.xml"], NamesIn(sdk.OutputOf("FiveLines")));
        Assert.Equal("Doubles.", Assert.Single(PluginInfo.Read(sdk.OutputOf("FiveLines")).EntryPoints).Summary);
        Assert.Equal(42, await DoubleAsync(sdk.OutputOf("FiveLines")));
    }

    [Fact]
    public async Task A_class_library_that_references_abstractions_only_is_a_plugin()
    {
        Assert.Empty(sdk.WarningsOf("WithoutSdk"));
        Assert.Equal(["WithoutSdk.deps.json", "WithoutSdk.dll", "WithoutSdk.pdb"], NamesIn(sdk.OutputOf("WithoutSdk")));
        Assert.Equal(42, await DoubleAsync(sdk.OutputOf("WithoutSdk")));
    }

    [Fact]
    public async Task A_plugin_that_was_made_from_the_template_is_called()
    {
        Assert.Empty(sdk.WarningsOf("Acme.Small"));
        await using var pool = await Pools.StartAsync(sdk.OutputOf("Acme.Small"));
        Assert.Equal(6, await pool.InvokeAsync<int>("CountWords", ["to be or not to be"]).Within("the call ends"));
        Assert.Equal(["CountWords"], PluginInfo.Read(sdk.OutputOf("Acme.Small")).EntryPoints.Select(entryPoint => entryPoint.Name));
    }

    [Fact]
    public async Task A_plugin_that_was_made_from_the_template_with_a_contract_is_called_through_it()
    {
        Assert.Empty(sdk.WarningsOf("Acme.Large"));
        Assert.Equal(["Acme.Large.ITextCounter"], PluginInfo.Read(sdk.OutputOf("Acme.Large")).Contracts);
        await using var pool = await Pools.StartAsync(sdk.OutputOf("Acme.Large"));
        Assert.Equal(3, await pool.InvokeAsync<long>("ITextCounter.AddAsync", ["one"]).Within("the call ends"));
        Assert.Equal(8, await pool.InvokeAsync<long>("ITextCounter.AddAsync", ["three"]).Within("the call ends"));
    }

    [Fact]
    public async Task A_plugin_is_deployed_as_a_whole_and_replaces_the_version_before()
    {
        Assert.Equal(["Deployed"], Directory.GetFileSystemEntries(sdk.DropFolder).Select(Path.GetFileName));
        var folder = Path.Combine(sdk.DropFolder, "Deployed");
        Assert.Equal(NamesIn(sdk.OutputOf("Deployed")), NamesIn(folder));
        Assert.Equal(42, await DoubleAsync(folder));
    }

    [Fact]
    public void The_analyzer_comes_with_the_packages() =>
        Assert.StartsWith("PP011: Console.Read in a plugin: standard input is closed", Assert.Single(sdk.WarningsOf("Deployed")));

    [Theory]
    [InlineData("PPSDK001: Old targets netstandard2.0, ", "<TargetFramework>net8.0</TargetFramework>")]
    [InlineData("PPSDK002: Wrong sets PublishAot, ", "Remove it")]
    [InlineData("PPSDK002: Wrong sets PublishTrimmed, ", "Remove it")]
    [InlineData("PPSDK002: Wrong sets PublishSingleFile, ", "Remove it")]
    [InlineData("PPSDK002: Wrong sets SelfContained, ", "Remove it")]
    [InlineData("PPSDK003: Wrong has runtimes/ubuntu.22.04-x64 in its output, ", "<UseRidGraph>true</UseRidGraph>")]
    [InlineData("PPSDK004: Wrong is a program, ", "<OutputType>Library</OutputType>")]
    public void What_a_sandbox_cannot_load_is_a_warning_with_a_remedy(string warning, string remedy) =>
        Assert.Contains(remedy, Assert.Single(sdk.WarningsOf("Old").Concat(sdk.WarningsOf("Wrong")), text => text.StartsWith(warning, StringComparison.Ordinal)));

    [Fact]
    public async Task Of_several_frameworks_only_one_can_be_deployed()
    {
        var build = await sdk.DeploySeveralAsync();
        Assert.Equal(1, build.ExitCode);
        Assert.Contains("error PPSDK005: Several is built for net10.0;net8.0, but only one of them can be deployed to ../several. Say for which: <ProcessPoolDeployTo Condition=\"'$(TargetFramework)' == 'net10.0'\">", build.Output);
    }

    [Fact]
    public void Nothing_else_is_warned_of() => Assert.Equal((1, 6), (sdk.WarningsOf("Old").Count, sdk.WarningsOf("Wrong").Count));

    [Fact]
    public void The_package_of_the_host_holds_its_parts_the_sandbox_and_the_targets_and_depends_on_none_of_its_parts()
    {
        string[] libraries = ["McMaster.NETCore.Plugins", "MessagePack.Annotations", "MessagePack", "Microsoft.NET.StringTools", "Microsoft.VisualStudio.Threading", "Microsoft.VisualStudio.Validation", "Nerdbank.MessagePack",
            "Nerdbank.Streams", "Newtonsoft.Json", "PolyType", "ProcessPool.Abstractions", "ProcessPool.Confinement", "ProcessPool.Protocol", "ProcessPool.Sandbox", "StreamJsonRpc"];
        Assert.Equal(
            [
                "ProcessPool.nuspec", "README.md", "build/ProcessPool.targets", "buildTransitive/ProcessPool.targets", "lib/net10.0/ProcessPool.Binder.dll", "lib/net10.0/ProcessPool.Confinement.dll", "lib/net10.0/ProcessPool.Confinement.xml",
                "lib/net10.0/ProcessPool.Host.dll", "lib/net10.0/ProcessPool.Host.xml", "lib/net10.0/ProcessPool.Protocol.dll", "processpool/ProcessPool.Sandbox.deps.json", "processpool/ProcessPool.Sandbox.dll",
                "processpool/ProcessPool.Sandbox.runtimeconfig.json", .. new[] { "lib", $"lib/{PrecompiledFor}" }.SelectMany(folder => libraries.Append("binder/ProcessPool.Binder").Select(name => $"processpool/{folder}/{name}.dll")),
            ],
            sdk.FilesOf("ProcessPool"));
        Assert.Equal(["Microsoft.Extensions.Logging.Abstractions", "Microsoft.NET.StringTools", "Nerdbank.Streams", "Newtonsoft.Json", "ProcessPool.Abstractions", "StreamJsonRpc"], sdk.DependenciesOf("ProcessPool"));
        Assert.DoesNotContain(sdk.DependenciesOf("ProcessPool.Hosting"), name => name.StartsWith("ProcessPool.", StringComparison.Ordinal));
        Assert.Equal(["ProcessPool"], sdk.DependenciesOf("ProcessPool.Testing"));

        // What they use of it is internal: no other version fits.
        Assert.Equal(["[0.1.0]", "[0.1.0]"], new[] { "ProcessPool.Hosting", "ProcessPool.Testing" }.Select(package => sdk.RangeOf(package, "ProcessPool")));
        Assert.Equal(["ProcessPool.Abstractions"], sdk.DependenciesOf("ProcessPool.Plugin").Where(name => name.StartsWith("ProcessPool", StringComparison.Ordinal)));
    }

    private static string PrecompiledFor => $"{(OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";

    private static IEnumerable<string?> NamesIn(string folder) => Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private static async Task<int> DoubleAsync(string plugin)
    {
        await using var pool = await Pools.StartAsync(plugin);
        return await pool.InvokeAsync<int>("Double", [21]).Within("the call ends");
    }
}
