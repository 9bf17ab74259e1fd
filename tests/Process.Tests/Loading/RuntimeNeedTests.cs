using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Loading;

/// <summary>A plugin that cannot run here is refused before any process is started.</summary>
public sealed class RuntimeNeedTests
{
    private readonly string _folder = PluginSource.NewFolder();

    public RuntimeNeedTests() => PluginSource.Compile(Path.Combine(_folder, "Plugin.dll"), "public static class Plugin { [EntryPoint] public static string Switch(string name) => $\"{AppContext.GetData(name)}\"; }");

    [Theory]
    [InlineData("""{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"99.0.0"}}}""", "needs .NET 99.0")]
    [InlineData("""{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"99.0.0-preview.1"}}}""", "build the plugin for an older one")]
    [InlineData("""{"runtimeOptions":{"frameworks":[{"name":"Microsoft.WindowsDesktop.App","version":"8.0.0"}]}}""", "shared framework Microsoft.WindowsDesktop.App 8.0.0")]
    [InlineData("""{"runtimeOptions":{"framework":{"name":"../../..","version":"1.0.0"}}}""", "is no name of a shared framework")]
    [InlineData("""{"runtimeOptions":{"framework":{"name":"..","version":"1.0.0"}}}""", "is no name of a shared framework")]
    [InlineData("""{"runtimeOptions":{"configProperties":{"system.gc.path":"/tmp/evil.so"}}}""", "system.gc.path")]
    [InlineData("""{"runtimeOptions":{"configProperties":{"System.GC.Name":"evil.so"}}}""", "System.GC.Name")]
    [InlineData("""{"runtimeOptions":{"framework":{"name":"x"}}}""", "damaged")]
    [InlineData("""{"runtimeOptions":{"framework":"x"}}""", "damaged")]
    [InlineData("""{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"99999999999.0.0"}}}""", "damaged")]
    [InlineData("""{"runtimeOptions":{"configProperties":{"STARTUP_HOOKS":"/tmp/evil.dll"}}}""", "STARTUP_HOOKS")]
    [InlineData("""{"runtimeOptions":{"configProperties":{"TRUSTED_PLATFORM_ASSEMBLIES":"/tmp/evil.dll"}}}""", "TRUSTED_PLATFORM_ASSEMBLIES")]
    [InlineData("""{"runtimeOptions":{"configProperties":{"A.B":1,"A.B":2}}}""", "damaged")]
    [InlineData("{", "damaged")]
    [InlineData("", "damaged")]
    public async Task The_message_says_what_is_needed_and_what_is_there(string config, string message)
    {
        File.WriteAllText(Path.Combine(_folder, "Plugin.runtimeconfig.json"), config);
        var error = await Assert.ThrowsAsync<PluginLoadException>(() => Pools.StartAsync(_folder));
        Assert.Contains(message, error.Message);
        Assert.Equal(LoadStage.Resolve, error.Stage);
    }

    [Theory]
    [InlineData(".NETCoreApp,Version=v99.0", "needs .NET 99.0")]
    [InlineData(".NETFramework,Version=v4.8", ".NET Framework")]
    public async Task So_it_is_with_the_framework_that_it_was_built_for(string target, string message)
    {
        PluginSource.Compile(Path.Combine(_folder, "Plugin.dll"), $"[assembly: System.Runtime.Versioning.TargetFramework(\"{target}\")] public static class Plugin {{ [EntryPoint] public static int One() => 1; }}");
        Assert.Contains(message, (await Assert.ThrowsAsync<PluginLoadException>(() => Pools.StartAsync(_folder))).Message);
    }

    [Fact]
    public async Task The_plugins_runtime_options_are_its_workers_and_the_sandboxes_own_win()
    {
        File.WriteAllText(Path.Combine(_folder, "Plugin.runtimeconfig.json"), """
            {"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"8.0.0"},"configProperties":{"System.GC.Server":true,"System.GC.Concurrent":true,"My.Switch":"on","System.Runtime.Loader.UseRidGraph":true}}}
            """);
        await using var pool = await Pools.StartAsync(_folder);
        Assert.Equal("on", await pool.InvokeAsync<string>("Switch", ["My.Switch"]));
        Assert.Equal("true", await pool.InvokeAsync<string>("Switch", ["System.Runtime.Loader.UseRidGraph"]));
        Assert.Equal("false", await pool.InvokeAsync<string>("Switch", ["System.GC.Server"]));
    }

    [Theory]
    [InlineData("../outside.dll")]
    [InlineData("/etc/outside.dll")]
    [InlineData("..\\outside.dll")]
    public async Task A_deps_json_that_leads_out_of_the_folder_is_refused(string asset)
    {
        File.WriteAllText(Path.Combine(_folder, "Plugin.deps.json"), """
            {"runtimeTarget":{"name":".NETCoreApp,Version=v8.0"},"targets":{".NETCoreApp,Version=v8.0":{"Evil/1.0.0":{"runtime":{"ASSET":{}}}}},"libraries":{"Evil/1.0.0":{"type":"project","serviceable":false,"sha512":""}}}
            """.Replace("ASSET", asset.Replace("\\", "\\\\", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.Contains("not within the plugin's folder", (await Assert.ThrowsAsync<PluginLoadException>(() => Pools.StartAsync(_folder))).Message);
    }
}
