using System.Collections.Concurrent;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Catalog;

/// <summary>A drop folder, a catalog that watches it, and what the catalog said.</summary>
internal sealed class DropFolderRig : IAsyncDisposable
{
    private readonly ConcurrentQueue<PluginChange> _changes = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly string _root = Directory.CreateTempSubdirectory("processpool-catalog-").FullName;

    private DropFolderRig()
    {
        Directory.CreateDirectory(Folder);
    }

    public string Folder => Path.Combine(_root, "drop");

    public string Store => Path.Combine(_root, "store");

    public PluginCatalog Catalog { get; private set; } = null!;

    public RecordingLogger Log { get; } = new();

    /// <param name="prepare">Fills the folder before the catalog starts.</param>
    /// <param name="configure">Sets up the catalog.</param>
    public static async Task<DropFolderRig> StartAsync(Action<string>? prepare = null, Action<PluginCatalogOptions>? configure = null, CancellationToken cancellationToken = default)
    {
        var rig = new DropFolderRig();
        prepare?.Invoke(rig.Folder);
        var options = new PluginCatalogOptions
        {
            Directory = rig.Folder,
            SnapshotDirectory = rig.Store,
            SettleTime = TimeSpan.FromMilliseconds(50),
            Logger = rig.Log,
            ConfigurePool = (_, pool) => pool.Workers = 1,
        };
        configure?.Invoke(options);
        rig.Catalog = new PluginCatalog(options);
        rig.Catalog.Changed += (_, change) =>
        {
            rig._changes.Enqueue(change);
            rig._news.Release();
        };
        try
        {
            await rig.Catalog.StartAsync(cancellationToken).Within("the catalog starts");
            return rig;
        }
        catch
        {
            await rig.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts a version of a plugin with one entry point there, as a build or a copy would.</summary>
    public string Drop(string name, int version, bool asFolder = true)
    {
        var folder = asFolder ? Directory.CreateDirectory(Path.Combine(Folder, name)).FullName : Folder;
        var path = Path.Combine(folder, name + ".dll");
        PluginSource.Compile(path, Versioned(version));
        return path;
    }

    public static string Versioned(int version) => $$"""
        public static class Plugin
        {
            [EntryPoint] public static int Version() => {{version}};
            [EntryPoint] public static async Task<int> Wait(string until) { Console.WriteLine("waiting"); while (!File.Exists(until)) await Task.Delay(10); return {{version}}; }
        }
        """;

    /// <summary>Waits for the next change of a kind; others of that plugin meanwhile are skipped.</summary>
    public async Task<PluginChange> NextAsync(PluginChangeKind kind, string name)
    {
        while (true)
        {
            Assert.True(await _news.WaitAsync(TestTime.Limit), $"Expected {name} to be {kind}. The log says: {string.Join(" | ", Log.Entries.Select(entry => entry.Text).TakeLast(10))}");
            if (_changes.TryDequeue(out var change) && change.Kind == kind && change.Plugin.Name == name)
            {
                return change;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Catalog.DisposeAsync().AsTask().Within("the catalog stops");
        Folders.Delete(_root);
    }
}
