using ProcessPool.Catalog;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

public sealed class SnapshotStoreTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("processpool-store-").FullName;

    private string Drop => Directory.CreateDirectory(Path.Combine(_root, "drop")).FullName;

    private string Folder => Path.Combine(_root, "store");

    public void Dispose() => Folders.Delete(_root);

    [Fact]
    public void A_snapshot_has_the_content_and_is_named_by_its_hash()
    {
        var source = Plugin("p", ("p.dll", "code"), ("runtimes/linux-x64/native/lib.so", "native"));
        using var snapshot = new SnapshotStore(Folder).Take(source, trust: null);
        Assert.Equal(SnapshotStore.DigestOf(source), snapshot.Digest);
        Assert.Equal(Path.Combine(Folder, snapshot.Digest["sha256:".Length..]), snapshot.Directory);
        Assert.Equal("native", File.ReadAllText(Path.Combine(snapshot.Directory, "runtimes/linux-x64/native/lib.so")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.False(File.GetUnixFileMode(Path.Combine(snapshot.Directory, "p.dll")).HasFlag(UnixFileMode.UserWrite));
            Assert.False(File.GetUnixFileMode(snapshot.Directory).HasFlag(UnixFileMode.UserWrite));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder));
        }
    }

    [Fact]
    public void Equal_content_is_stored_once_whatever_it_is_called()
    {
        var store = new SnapshotStore(Folder);
        using var first = store.Take(Plugin("a", ("p.dll", "code")), trust: null);
        using var second = store.Take(Plugin("b", ("p.dll", "code")), trust: null);
        using var other = store.Take(Plugin("c", ("q.dll", "code")), trust: null);
        Assert.Equal(first.Directory, second.Directory);
        Assert.NotEqual(first.Digest, other.Digest);
        Assert.Equal(2, Directory.GetDirectories(Folder).Length);
    }

    [Fact]
    public void A_snapshot_that_somebody_changed_is_replaced_by_a_true_copy()
    {
        var store = new SnapshotStore(Folder);
        var source = Plugin("p", ("p.dll", "code"));
        string changed;
        using (var first = store.Take(source, trust: null))
        {
            changed = Path.Combine(first.Directory, "p.dll");
        }

        File.Delete(Writable(changed));
        File.WriteAllText(changed, "evil");
        using var second = store.Take(source, trust: null);
        Assert.Equal("code", File.ReadAllText(Path.Combine(second.Directory, "p.dll")));
    }

    [Fact]
    public void A_file_that_changes_while_it_is_copied_is_no_snapshot()
    {
        var source = Plugin("p", ("p.dll", "code"));
        File.AppendAllText(source.Files[0].Source, " and more");
        Assert.Throws<IOException>(() => new SnapshotStore(Folder).Take(source, trust: null));
        Assert.Empty(Directory.GetDirectories(Folder));
    }

    [Fact]
    public void Content_that_is_not_trusted_leaves_nothing_behind()
    {
        var source = Plugin("p", ("p.dll", "code"));
        var refused = Assert.Throws<PluginLoadException>(() => new SnapshotStore(Folder).Take(source, new HashSet<string> { "sha256:0" }));
        Assert.Contains(SnapshotStore.DigestOf(source), refused.Message);
        Assert.Empty(Directory.GetDirectories(Folder));
    }

    [Fact]
    public void Those_in_use_stay_and_of_the_others_the_newest_few()
    {
        var store = new SnapshotStore(Folder);
        using var used = store.Take(Plugin("used", ("p.dll", "used")), trust: null);
        for (var i = 0; i < 20; i++)
        {
            string digest;
            using (var snapshot = store.Take(Plugin($"p{i}", ("p.dll", $"{i}")), trust: null))
            {
                digest = snapshot.Digest["sha256:".Length..];
            }

            // One a minute.
            File.SetLastWriteTimeUtc(Path.Combine(Folder, digest + ".lock"), DateTime.UtcNow.AddMinutes(i - 30));
        }

        // Another program's view of the same store.
        new SnapshotStore(Folder).Evict();
        Assert.True(Directory.Exists(used.Directory));
        Assert.Equal(1 + 8, Directory.GetDirectories(Folder).Length);
        Assert.All(Enumerable.Range(0, 20), i => Assert.Equal(i >= 12, Directory.Exists(Path.Combine(Folder, SnapshotStore.DigestOf(Look($"p{i}"))["sha256:".Length..]))));
        Assert.Equal(1 + 8, Directory.GetFiles(Folder, "*.lock").Count(path => !Path.GetFileName(path).StartsWith('.')));
    }

    private static string Writable(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return path;
    }

    private DroppedPlugin Plugin(string name, params (string Path, string Content)[] files)
    {
        foreach (var (path, content) in files)
        {
            var full = Path.Combine(Drop, name, path);
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            File.WriteAllText(full, content);
        }

        return Look(name);
    }

    private DroppedPlugin Look(string name) => new DropFolder(Drop).Look()[name];
}
