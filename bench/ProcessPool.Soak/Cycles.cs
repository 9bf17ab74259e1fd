using System.Diagnostics;
using ProcessPool.TestKit;

namespace ProcessPool.Soak;

/// <summary>Crashes and restarts leave nothing in the host.</summary>
internal static class Cycles
{
    public static async Task<bool> RunAsync(double number)
    {
        await using var pool = await SandboxPool.StartAsync(Faulty.Options(workers: 1));
        await CycleAsync(pool, 10);
        var before = Look();
        var began = Stopwatch.GetTimestamp();
        await CycleAsync(pool, (int)number);
        var after = Look();
        Console.WriteLine($"   {number} cycles in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        Console.WriteLine($"   before: {before}");
        Console.WriteLine($"   after:  {after}");
        return after.FileDescriptors <= before.FileDescriptors && after.Threads <= before.Threads + 4 && after.Zombies == 0 && after.TemporaryFiles == before.TemporaryFiles;
    }

    private static async Task CycleAsync(SandboxPool pool, int count)
    {
        for (var i = 0; i < count; i++)
        {
            try
            {
                await pool.InvokeAsync(i % 2 == 0 ? "Kill" : "Segfault");
            }
            catch (WorkerCrashedException)
            {
                await pool.InvokeAsync<long>("Square", [i]);
            }
        }
    }

    private static Counts Look()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var self = Process.GetCurrentProcess();
        return new Counts(
            // Every loaded assembly has two, and some are loaded late.
            Directory.GetFiles("/proc/self/fd").Count(file => new FileInfo(file).LinkTarget?.EndsWith(".dll", StringComparison.Ordinal) != true),
            self.Threads.Count,
            Sandboxes.ZombiesOf(self.Id),
            new[] { "processpool-*", "clr-debug-pipe-*", "dotnet-diagnostic-*" }.Sum(files => Directory.GetFileSystemEntries(Path.GetTempPath(), files).Length),
            GC.GetTotalMemory(forceFullCollection: true) / 1024);
    }

    private sealed record Counts(int FileDescriptors, int Threads, int Zombies, int TemporaryFiles, long ManagedKiB);
}
