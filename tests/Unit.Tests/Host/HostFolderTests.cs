using ProcessPool.Launch;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>What hosts that were killed have left behind is deleted by the next one, and nothing else is.</summary>
public sealed class HostFolderTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("processpool-tests-").FullName;
    private readonly RecordingLogger _log = new();

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void It_is_there_while_there_are_scratch_folders()
    {
        var host = new HostFolder(_root);
        var (first, second) = (host.Take(_log), host.Take(_log));
        Assert.Equal(Path.GetDirectoryName(first), Path.GetDirectoryName(second));
        Directory.Delete(first);
        host.Release();
        Assert.Single(Directory.GetDirectories(_root));
        Directory.Delete(second);
        host.Release();
        Assert.Empty(Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public void A_host_that_lives_keeps_its_folder_and_what_one_left_behind_is_deleted()
    {
        var living = new HostFolder(_root).Take(_log);
        var left = Directory.CreateDirectory(Path.Combine(_root, "processpool-host-gone", "scratch")).FullName;
        File.WriteAllText(Path.Combine(left, "large"), "data");
        File.WriteAllText(Path.Combine(left, "..", "lock"), "");

        new HostFolder(_root).Sweep(_log);
        Assert.True(Directory.Exists(living), "Expected the folder of a host that lives to be kept.");
        Assert.False(Directory.Exists(Path.GetDirectoryName(left)), "Expected what a host left behind to be deleted.");
    }

    [Fact]
    public void What_could_not_be_deleted_is_left_to_the_next_host()
    {
        var host = new HostFolder(_root);
        var scratch = host.Take(_log);
        host.Release();
        Assert.True(Directory.Exists(scratch), "Expected a folder that is not empty to stay.");
        new HostFolder(_root).Sweep(_log);
        Assert.Empty(Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public void A_folder_without_a_lock_and_one_that_leads_elsewhere_are_not_touched()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Makes links.");
        var important = Directory.CreateDirectory(Path.Combine(_root, "important")).FullName;
        File.WriteAllText(Path.Combine(important, "lock"), "");
        Directory.CreateSymbolicLink(Path.Combine(_root, "processpool-host-planted"), important);
        var begun = Directory.CreateDirectory(Path.Combine(_root, "processpool-host-begun")).FullName;

        new HostFolder(_root).Sweep(_log);
        Assert.True(File.Exists(Path.Combine(important, "lock")), "Expected what a link leads to not to be touched.");
        Assert.True(Directory.Exists(begun), "Expected a folder without a lock not to be touched.");
    }
}
