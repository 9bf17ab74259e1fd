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
        var (first, second) = (host.Take(), host.Take());
        Assert.Equal(Path.GetDirectoryName(first), Path.GetDirectoryName(second));
        Directory.Delete(first);
        host.Release();
        Assert.Single(Directory.GetDirectories(_root));
        Directory.Delete(second);
        host.Release();
        Assert.Empty(Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public void A_folder_that_was_cleaned_away_is_made_anew()
    {
        var host = new HostFolder(_root);
        Directory.Delete(Path.GetDirectoryName(host.Take())!, recursive: true);
        Assert.True(Directory.Exists(host.Take()), "Expected a scratch folder.");
    }

    [Fact]
    public void A_host_that_lives_keeps_its_folder_and_what_one_left_behind_is_deleted()
    {
        var living = new HostFolder(_root).Take();
        var left = Directory.CreateDirectory(Path.Combine(_root, "processpool-host-gone", "scratch")).FullName;
        File.WriteAllText(Path.Combine(left, "large"), "data");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Folders are locked on Linux.");
        new HostFolder(_root).Sweep(_log);
        Assert.True(Directory.Exists(living), "Expected the folder of a host that lives to be kept.");
        Assert.False(Directory.Exists(Path.GetDirectoryName(left)), "Expected what a host left behind to be deleted.");
    }

    [Fact]
    public void What_could_not_be_deleted_is_left_to_the_next_host()
    {
        var host = new HostFolder(_root);
        var scratch = host.Take();
        host.Release();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Folders are locked on Linux.");
        Assert.True(Directory.Exists(scratch), "Expected a folder that is not empty to stay.");
        new HostFolder(_root).Sweep(_log);
        Assert.Empty(Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public void Hosts_that_begin_while_others_sweep_all_get_their_folders()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Folders are locked on Linux.");
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            for (var round = 0; round < 50; round++)
            {
                var host = new HostFolder(_root);
                var scratch = host.Take();
                new HostFolder(_root).Sweep(_log);
                Assert.True(Directory.Exists(scratch), "Expected the folder of a host that lives to be kept.");
                Directory.Delete(scratch);
                host.Release();
            }
        });
        Assert.Equal([], Directory.GetFileSystemEntries(_root));
        Assert.Equal([], _log.Entries.Select(entry => entry.Text));
    }

    [Fact]
    public void What_others_have_put_there_is_not_touched()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Makes links.");
        var important = Directory.CreateDirectory(Path.Combine(_root, "important")).FullName;
        File.WriteAllText(Path.Combine(important, "file"), "");
        Directory.CreateSymbolicLink(Path.Combine(_root, "processpool-host-planted"), important);
        File.WriteAllText(Path.Combine(_root, "processpool-host-file"), "");

        new HostFolder(_root).Sweep(_log);
        Assert.True(File.Exists(Path.Combine(important, "file")), "Expected what a link leads to not to be touched.");
        Assert.True(File.Exists(Path.Combine(_root, "processpool-host-file")), "Expected what is no folder not to be touched.");
    }
}
