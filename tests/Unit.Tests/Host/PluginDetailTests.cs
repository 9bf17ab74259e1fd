using ProcessPool.Protocol;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>What is read of a plugin besides its signatures.</summary>
public sealed class PluginDetailTests
{
    private readonly string _folder = PluginSource.NewFolder();

    [Theory]
    [InlineData("<doc><members><member name=\"M:Plugin.Do(System.Int32)\"><summary>\n  Does <see cref=\"T:System.Int32\"/>\n  things. </summary></member></members></doc>", "Does Int32 things.")]
    [InlineData("<doc><members><member name=\"M:Plugin.Do\"><summary>Does <paramref name=\"it\"/>.</summary></member></members></doc>", "Does it.")]
    [InlineData("<doc><members><member name=\"M:Plugin.DoMore(System.Int32)\"><summary>x</summary></member></members></doc>", null)]
    [InlineData("<!DOCTYPE doc [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><doc><members><member name=\"M:Plugin.Do\"><summary>&x;</summary></member></members></doc>", null)]
    [InlineData("<doc", null)]
    [InlineData("", null)]
    public void The_summary_of_an_entry_point_comes_from_the_xml_file(string xml, string? summary)
    {
        Compile("public static class Plugin { [EntryPoint] public static int Do(int it) => it; }");
        File.WriteAllText(Path.Combine(_folder, "Plugin.xml"), xml);
        Assert.Equal(summary, Assert.Single(PluginInfo.Read(_folder).EntryPoints).Summary);
    }

    [Fact]
    public void A_document_that_is_nested_without_end_costs_no_time()
    {
        Compile("public static class Plugin { [EntryPoint] public static int Do(int it) => it; }");
        File.WriteAllText(Path.Combine(_folder, "Plugin.xml"), $"<doc><members>{string.Concat(Enumerable.Repeat("<member>", 300_000))}");
        Assert.Null(Assert.Single(PluginInfo.Read(_folder).EntryPoints).Summary);
    }

    [Fact]
    public void Contracts_references_frameworks_and_native_libraries_are_listed()
    {
        Compile("public interface IWork { Task DoAsync(); } [EntryPoint] public class Work : IWork { public Task DoAsync() => Task.CompletedTask; }");
        File.WriteAllText(Path.Combine(_folder, "Plugin.runtimeconfig.json"), """{"runtimeOptions":{"frameworks":[{"name":"Microsoft.NETCore.App","version":"8.0.0"},{"name":"Microsoft.AspNetCore.App","version":"8.0.0"}]}}""");
        Directory.CreateDirectory(Path.Combine(_folder, "runtimes", "linux-x64", "native"));
        File.WriteAllText(Path.Combine(_folder, "runtimes", "linux-x64", "native", "libx.so"), "");
        File.WriteAllText(Path.Combine(_folder, "liby.so"), "");
        File.WriteAllText(Path.Combine(_folder, "Plugin.deps.json"), """
            {"targets":{".NETCoreApp,Version=v8.0":{"x/1.0.0":{"runtimeTargets":{"runtimes/linux-x64/native/libx.so":{"rid":"linux-x64","assetType":"native"},"runtimes/win-x64/native/x.dll":{"rid":"win-x64","assetType":"native"}}}}}}
            """);
        var plugin = PluginInfo.Read(_folder);
        Assert.Equal(["IWork"], plugin.Contracts);
        Assert.Equal("IWork", Assert.Single(plugin.EntryPoints).Contract);
        Assert.Equal(["Microsoft.NETCore.App 8.0.0", "Microsoft.AspNetCore.App 8.0.0"], plugin.Frameworks);
        Assert.Equal([new NativeLibraryInfo("liby.so", null), new NativeLibraryInfo("runtimes/linux-x64/native/libx.so", "linux-x64")], plugin.NativeLibraries);
        Assert.Contains(plugin.References, reference => reference is { Name: "ProcessPool.Abstractions", IsShipped: false });
        Assert.NotEqual(Guid.Empty, plugin.Mvid);
        Assert.StartsWith("sha256:", plugin.ComputeDigest());
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"targets":7}""")]
    [InlineData("""{"targets":{"x":{"y":{"runtime":[]}}}}""")]
    public void A_damaged_deps_json_is_refused(string text)
    {
        Compile("public static class Plugin { [EntryPoint] public static int Do() => 1; }");
        File.WriteAllText(Path.Combine(_folder, "Plugin.deps.json"), text);
        Assert.Contains("damaged", Assert.Throws<PluginLoadException>(() => PluginInfo.Read(_folder)).Message);
    }

    [Fact]
    public void A_load_report_that_lies_is_made_harmless()
    {
        var line = new LoadReportLine(0, "A\u001b[31m\nB", "1", "", "", new string('x', 1_000_000), "", true);
        var report = LoadReport.From(new LoadReportMessage([line, line with { Source = 99 }, null!, line with { Name = null!, Why = null! }]))!;
        Assert.Equal(2, report.Entries.Count);
        Assert.DoesNotContain('\u001b', report.ToString());
        Assert.True(report.ToString().Length < 100_000);
        Assert.Null(LoadReport.From(null));
        Assert.Null(LoadReport.From(new LoadReportMessage(null!)));
        Assert.Null(LoadReport.From(new LoadReportMessage(new LoadReportLine[WireLimits.MaxLoadReportLines + 1])));
    }

    private void Compile(string source) => PluginSource.Compile(Path.Combine(_folder, "Plugin.dll"), source);
}
