using System.Diagnostics;
using ProcessPool.TestKit;

namespace ProcessPool.Soak;

/// <summary>A plugin is replaced in its drop folder again and again while callers use it: no call fails, each is answered by a version that was current when it started, or a later one.</summary>
internal static class Replacements
{
    private const int Callers = 8;

    public static async Task<bool> RunAsync(double number)
    {
        var root = Directory.CreateTempSubdirectory("processpool-replace-").FullName;
        var folder = Directory.CreateDirectory(Path.Combine(root, "drop", "work")).FullName;
        try
        {
            Drop(folder, 1);
            var (calls, wrong, current, done) = (0L, 0L, 1, false);
            var updated = new SemaphoreSlim(0);
            await using var catalog = new PluginCatalog(new PluginCatalogOptions
            {
                Directory = Path.Combine(root, "drop"),
                SnapshotDirectory = Path.Combine(root, "store"),
                ConfigurePool = (_, options) => options.Workers = 2,
            });
            catalog.Changed += (_, change) => updated.Release(change.Kind is PluginChangeKind.Added or PluginChangeKind.Updated ? 1 : 1000);
            await catalog.StartAsync();
            await updated.WaitAsync();
            var pool = catalog.GetPool("work");
            var callers = Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
            {
                while (!Volatile.Read(ref done))
                {
                    var before = Volatile.Read(ref current);
                    if (await pool.InvokeAsync<int>("Version") < before)
                    {
                        Interlocked.Increment(ref wrong);
                    }

                    Interlocked.Increment(ref calls);
                }
            })).ToList();

            var (start, most, sandboxes) = (Stopwatch.GetTimestamp(), 0, 0);
            for (var version = 2; version <= number + 1; version++)
            {
                Drop(folder, version);
                await updated.WaitAsync();
                Volatile.Write(ref current, version);
                most = Math.Max(most, Directory.GetDirectories(Path.Combine(root, "store")).Length);
                sandboxes = Math.Max(sandboxes, Sandboxes.Of(Environment.ProcessId).Count);

                // No lock: a writer who allows nobody else gets the file.
                using var alone = new FileStream(Path.Combine(folder, "work.dll"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            }

            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Volatile.Write(ref done, true);
            await Task.WhenAll(callers);
            Console.WriteLine($"   {number} replacements in {seconds:0} s under {Callers} callers: {calls} calls, none failed, {wrong} answered by an older version; at most {most} snapshots and {sandboxes} sandboxes");
            return wrong == 0 && current == number + 1 && most <= 12 && catalog.Plugins is [{ Error: null }];
        }
        finally
        {
            Folders.Delete(root);
        }
    }

    private static void Drop(string folder, int version) =>
        PluginSource.Compile(Path.Combine(folder, "work.dll"), $"public static class Plugin {{ [EntryPoint] public static int Version() => {version}; }}");
}
