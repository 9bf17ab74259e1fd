using System.Runtime.Versioning;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>A self-contained host where no .NET is installed: it runs as its own sandbox, and never as its own host without end.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class SelfContainedHostTests : IAsyncLifetime
{
    // Enough for a host and its sandbox several times over, and far from what hurts a machine.
    private const int Threads = 300;

    private static readonly Lazy<Task<string>> Published = new(() => Dotnet.PublishHostAsync("ContainedHost"));

    // What a plugin and the programs that it starts see of the hook.
    private static string Plugin => PluginSource.Members("""
        [DllImport("libc")] private static extern IntPtr getenv(string name);

        [EntryPoint] public static string Seen()
        {
            var names = new[] { "PROCESSPOOL_HOOK", "DOTNET_STARTUP_HOOKS" };
            return $"{Path.GetFileName(Environment.ProcessPath)} {names.Count(name => Environment.GetEnvironmentVariable(name) is not null)} {names.Count(name => getenv(name) != IntPtr.Zero)} {System.Runtime.GCSettings.IsServerGC}";
        }
        """);

    private readonly string _folder = PluginSource.NewFolder("Contained");

    private string Ledger => Path.Combine(_folder, "ledger");

    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Full.IsAsked, $"Publishing a self-contained host takes up to a minute. {Full.HowToAsk}");
        WithoutDotnet.SkipUnlessPossible();
        // The host is another user.
        File.WriteAllText(Ledger, "");
        File.SetUnixFileMode(Ledger, (UnixFileMode)0b110_110_110);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task It_is_its_own_sandbox_and_neither_the_plugin_nor_its_children_see_the_hook()
    {
        var run = await RunAsync(await Published.Value);
        Assert.True(run.ExitCode == 0, $"Expected exit code 0, got {run.ExitCode}:\n{run.Output}{run.Error}");
        Assert.Equal("ContainedHost 0 0 False", run.Lines[0]);
        Assert.Contains("OpenFiles", run.Lines[1]);
        Assert.Single(await File.ReadAllLinesAsync(Ledger));
    }

    [Fact]
    public async Task Strict_is_refused_because_the_host_would_have_to_grant_its_own_folder()
    {
        var run = await RunAsync(await Published.Value, "HOST_LEVEL=strict");
        Assert.Equal(3, run.ExitCode);
        Assert.StartsWith("ConfinementException: The plugin is not loaded: Strict cannot be enforced where no .NET is installed.", run.Output);
        Assert.Single(await File.ReadAllLinesAsync(Ledger));
    }

    [Fact]
    public async Task Without_startup_hooks_the_host_does_not_start_itself()
    {
        var host = await CopyAsync();
        SetHooks(host, false);
        var run = await RunAsync(host);
        Assert.Equal(3, run.ExitCode);
        Assert.StartsWith("WorkerStartException: There is no .NET to run the sandbox with, and this program cannot run it either: startup hooks are switched off", run.Output);
        Assert.Contains("Install the .NET 10 runtime, or let DOTNET_ROOT name a folder that has it.", run.Output);
        Assert.Single(await File.ReadAllLinesAsync(Ledger));
    }

    [Fact]
    public async Task A_process_whose_hook_was_not_run_ends_before_it_starts_another()
    {
        var host = await CopyAsync();
        SetHooks(host, true);
        var run = await RunAsync(host, "HOST_LOSES_HOOKS=1");
        Assert.Equal(3, run.ExitCode);
        Assert.StartsWith("WorkerStartException: ", run.Output);
        Assert.Contains("its startup hook was not run", run.Output);
        Assert.Equal(2, (await File.ReadAllLinesAsync(Ledger)).Length);
    }

    private Task<CliResult> RunAsync(string host, params string[] variables) =>
        WithoutDotnet.RunAsync(Threads, Path.Combine(host, "ContainedHost"), ["HOME=/", $"HOST_LEDGER={Ledger}", $"HOST_PLUGIN={Plugin}", .. variables]);

    private async Task<string> CopyAsync()
    {
        var copy = Path.Combine(_folder, "host");
        foreach (var file in Directory.GetFiles(await Published.Value, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(await Published.Value, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return copy;
    }

    // What trimming sets; a host that is not trimmed and not hooked is otherwise the same.
    private static void SetHooks(string host, bool supported)
    {
        var config = Path.Combine(host, "ContainedHost.runtimeconfig.json");
        var text = File.ReadAllText(config);
        Assert.Contains("\"configProperties\": {", text);
        if (!supported)
        {
            File.WriteAllText(config, text.Replace("\"configProperties\": {", "\"configProperties\": { \"System.StartupHookProvider.IsSupported\": false,", StringComparison.Ordinal));
        }

        File.SetUnixFileMode(config, (UnixFileMode)0b110_110_110);
    }
}
