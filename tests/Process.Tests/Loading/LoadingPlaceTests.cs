using System.Runtime.Versioning;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Loading;

/// <summary>Where a plugin may lie, and what it may lack.</summary>
public sealed class LoadingPlaceTests
{
    private const string Library = "public static class Library { public static string Name() => \"library\"; }";
    private const string Plugin = "public static class Plugin { [EntryPoint] public static string Name() => Library.Name(); }";

    [Theory]
    [InlineData("with spaces")]
    [InlineData("mit Ümläuten und 漢字")]
    [InlineData("semi;colon,comma'quote")]
    public async Task A_flat_folder_without_a_deps_json_works_under_any_name(string name)
    {
        var folder = Build(PluginSource.NewFolder(name));
        await using var pool = await Pools.StartAsync(folder);
        Assert.Equal("library", await pool.InvokeAsync<string>("Name"));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_link_to_the_folder_and_a_read_only_folder_work()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links and modes are as on Unix.");
        var folder = Build(PluginSource.NewFolder());
        var link = Path.Combine(PluginSource.NewFolder("links"), "current");
        Directory.CreateSymbolicLink(link, folder);
        const UnixFileMode ReadOnly = UnixFileMode.UserRead | UnixFileMode.UserExecute;
        File.SetUnixFileMode(folder, ReadOnly);
        try
        {
            await using var pool = await Pools.StartAsync(link);
            Assert.Equal("library", await pool.InvokeAsync<string>("Name"));
        }
        finally
        {
            File.SetUnixFileMode(folder, ReadOnly | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public async Task A_dependency_that_is_missing_is_named_with_the_places_where_it_was_looked_for()
    {
        var folder = Build(PluginSource.NewFolder());
        File.Delete(Path.Combine(folder, "Library.dll"));
        await using var pool = await Pools.StartAsync(folder);
        var error = await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync<string>("Name"));
        Assert.Contains("Library, Version=", error.Message);
        Assert.Contains(Path.Combine(folder, "Library.dll"), error.Message);
        var missing = Assert.Single((await pool.GetLoadReportAsync())!.Entries, entry => entry.Source == LoadSource.Missing);
        Assert.Equal(("Library", "Plugin"), (missing.Name, missing.RequestedBy));
        Assert.Contains(Path.Combine(folder, "Library.dll"), missing.Why);
    }

    [Fact]
    public async Task A_dependency_that_a_deps_json_lists_and_that_is_gone_is_named_by_the_call_that_needs_it()
    {
        var folder = PluginSource.NewFolder("OwnRpc");
        foreach (var file in Directory.GetFiles(Repository.Fixture("OwnRpc"), "*.*").Where(file => !file.EndsWith("Nerdbank.Streams.dll", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        await using var pool = await Pools.StartAsync(folder);
        var error = await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync<int>("TwiceAsync", [1]));
        Assert.Contains("Nerdbank.Streams, Version=", error.Message);
        Assert.Contains(Path.Combine(folder, "Nerdbank.Streams.dll"), error.Message);
    }

    [Fact]
    public async Task A_native_library_that_is_there_for_other_platforms_only_is_named_with_them()
    {
        var folder = PluginSource.Members("""
            [DllImport("frobnicate")] private static extern int frob();
            [EntryPoint] public static int Frob() => frob();
            """, "Native");
        var other = Path.Combine(folder, "runtimes", "win-arm", "native", "frobnicate.dll");
        Directory.CreateDirectory(Path.GetDirectoryName(other)!);
        File.WriteAllText(other, "");
        await using var pool = await Pools.StartAsync(folder);
        var error = await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync<int>("Frob"));
        Assert.Contains("frobnicate is not there: the plugin has it for other platforms only (runtimes/win-arm/native/frobnicate.dll)", error.Message);
        var missing = Assert.Single((await pool.GetLoadReportAsync())!.Entries, entry => entry.Name == "frobnicate");
        Assert.Equal(LoadSource.Missing, missing.Source);
        Assert.Contains("win-arm", missing.Why);
    }

    [Fact]
    public async Task A_plugin_that_ships_another_version_of_Abstractions_gets_the_sandboxes()
    {
        foreach (var version in new[] { "0.9.0.0", "1.0.0.0", "1.7.0.0" })
        {
            var folder = PluginSource.NewFolder();
            var abstractions = Path.Combine(folder, "ProcessPool.Abstractions.dll");
            PluginSource.Compile(abstractions, $$"""
                [assembly: System.Reflection.AssemblyVersion("{{version}}")]
                namespace ProcessPool { public sealed class EntryPointAttribute : Attribute { } public interface IPluginContext { string WorkerName { get; } } }
                """, withAbstractions: false);
            PluginSource.Compile(Path.Combine(folder, "Plugin.dll"), "public static class Plugin { [EntryPoint] public static string Name(IPluginContext context) => context.WorkerName; }", withAbstractions: false, abstractions);
            await using var pool = await Pools.StartAsync(folder);
            Assert.Equal("test-0", await pool.InvokeAsync<string>("Name"));
            Assert.Equal(LoadSource.Shared, Assert.Single((await pool.GetLoadReportAsync())!.Entries, entry => entry.Name == "ProcessPool.Abstractions").Source);
        }
    }

    private static string Build(string folder)
    {
        var library = Path.Combine(folder, "Library.dll");
        PluginSource.Compile(library, Library);
        PluginSource.Compile(Path.Combine(folder, "Plugin.dll"), Plugin, library);
        return folder;
    }
}
