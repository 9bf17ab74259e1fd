using ProcessPool.Process.Tests.Suites;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

[Collection(nameof(Alone))]
public sealed class LifecycleTests
{
    [Fact]
    public async Task Pools_that_come_and_go_leave_no_pipe_behind()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Counts pipes in /proc.");
        await using (await Pools.StartAsync(EverydayPlugin.Folder))
        {
        }

        // What tests before this one forgot to dispose goes now, not in between.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = CountPipes();
        for (var round = 0; round < 4; round++)
        {
            await using var pool = new SandboxPool(Pools.Options(EverydayPlugin.Folder, workers: 2));
            var start = pool.StartAsync();
            if (round % 2 == 0)
            {
                await start.Within("the pool starts");
            }

            await pool.DisposeAsync().AsTask().Within("the pool stops, started or not");
            await start.ContinueWith(_ => { }, TaskScheduler.Default).Within("the start ends");
        }

        Assert.InRange(CountPipes(), 0, before);
    }

    [Fact]
    public async Task What_a_plugin_started_ends_with_its_worker()
    {
        Pools.SkipWhenConfined("starts other programs");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Starts sleep and looks for it in /proc.");
        var plugin = PluginSource.Members("""
            [EntryPoint] public static int StartChild() => System.Diagnostics.Process.Start("sleep", "1000").Id;
            """, "Parent");
        await using var pool = await Pools.StartAsync(plugin);
        var child = await pool.InvokeAsync<int>("StartChild");
        Assert.True(Sandboxes.IsAlive(child));
        await pool.StopAsync().Within("the pool stops");
        Assert.False(Sandboxes.IsAlive(child), $"Expected child {child} of the plugin to be gone.");
    }

    [Fact]
    public async Task Workers_that_die_leave_no_file_behind()
    {
        Pools.SkipWhenConfined("has a diagnostics socket of the runtime");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Kills by SIGKILL.");
        var log = new RecordingLogger();
        var temporary = PluginSource.NewFolder("tmp");
        var options = Pools.Options(PluginSource.Members("[EntryPoint] public static int ProcessId() => Environment.ProcessId;", "Mortal"), log: log);
        options.Environment["TMPDIR"] = temporary;
        await using (var pool = await SandboxPool.StartAsync(options))
        {
            var victim = await pool.InvokeAsync<int>("ProcessId");
            Assert.NotEmpty(Directory.GetFileSystemEntries(temporary));
            Assert.True(Sandboxes.Kill(victim));
            await log.WaitForAsync(line => line.Contains($"(pid {victim}) died", StringComparison.Ordinal), "the death is seen");
            await pool.InvokeAsync<int>("ProcessId").Within("the next call is served");
            Assert.DoesNotContain(Directory.GetFileSystemEntries(temporary), file => file.Contains($"-{victim}-", StringComparison.Ordinal));
        }

        Assert.Empty(Directory.GetFileSystemEntries(temporary));
    }

    private static int CountPipes() =>
        Directory.GetFiles("/proc/self/fd").Count(file => new FileInfo(file).LinkTarget?.StartsWith("pipe:", StringComparison.Ordinal) == true);
}
