using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using ProcessPool.Launch;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>How much a scratch folder holds, and that it can be deleted, whatever a plugin has made in it.</summary>
public sealed partial class ScratchDirectoryTests : IDisposable
{
    private const int MiB = 1 << 20;

    // What folders, links and the last block of a file take.
    private const int Beside = 1 << 19;

    private const int KeepSize = 1;

    private readonly RecordingLogger _log = new();
    private readonly ScratchDirectory _scratch;

    public ScratchDirectoryTests() => _scratch = new ScratchDirectory(_log);

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Files_at_every_depth_count_and_links_do_not()
    {
        var deep = Directory.CreateDirectory(Path.Combine(_scratch.Path, "a", "b")).FullName;
        var outside = Directory.CreateTempSubdirectory("processpool-outside-").FullName;
        try
        {
            Fill(_scratch.Path);
            Fill(deep);
            Fill(outside);
            Directory.CreateSymbolicLink(Path.Combine(deep, "round"), _scratch.Path);
            Directory.CreateSymbolicLink(Path.Combine(deep, "away"), outside);
            File.CreateSymbolicLink(Path.Combine(deep, "away-file"), Path.Combine(outside, "file"));
            Assert.InRange(_scratch.SizeUpTo(long.MaxValue), 2 * MiB, 2 * MiB + Beside);
            Assert.True(_scratch.SizeUpTo(10) > 10);
        }
        finally
        {
            Directory.Delete(outside, recursive: true);
        }
    }

    [Fact]
    public void A_folder_that_is_gone_holds_nothing()
    {
        Directory.Delete(_scratch.Path);
        Assert.Equal(0, _scratch.SizeUpTo(1_000));
        _scratch.Dispose();
        Assert.Empty(_log.Entries);
    }

    [Fact]
    public void A_name_that_is_no_text_hides_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Names are bytes on Linux.");
        using var shell = System.Diagnostics.Process.Start("/bin/sh", ["-c", $"d=\"$(printf '{_scratch.Path}/\\377')\" && mkdir \"$d\" && head -c {MiB} /dev/zero > \"$d/$(printf '\\376')\""])!;
        shell.WaitForExit();
        Assert.InRange(_scratch.SizeUpTo(long.MaxValue), MiB, MiB + Beside);
        AssertDeleted();
    }

    [Fact]
    public void Space_that_is_reserved_beyond_a_files_end_counts()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Space is counted on Linux.");
        using (var file = File.OpenHandle(Path.Combine(_scratch.Path, "file"), FileMode.CreateNew, FileAccess.Write))
        {
            Assert.SkipUnless(Reserve(file, KeepSize, 0, MiB) == 0, "This file system cannot reserve space.");
        }

        Assert.InRange(_scratch.SizeUpTo(long.MaxValue), MiB, MiB + Beside);
    }

    [Fact]
    public void A_file_below_a_path_that_is_too_long_counts_and_is_deleted()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Descriptors are for Linux.");
        Nest(levels: 100);
        Assert.InRange(_scratch.SizeUpTo(long.MaxValue), MiB, MiB + 2 * Beside);
        AssertDeleted();
    }

    [Fact]
    public void What_lies_too_deep_is_too_much_and_is_deleted()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Descriptors are for Linux.");
        Nest(levels: 2_000);
        Assert.Equal(long.MaxValue, _scratch.SizeUpTo(100 * MiB));
        AssertDeleted();
    }

    [Fact]
    public void Very_many_files_are_too_much()
    {
        for (var folder = 0; folder < 5; folder++)
        {
            var path = Directory.CreateDirectory(Path.Combine(_scratch.Path, $"{folder}")).FullName;
            for (var file = 0; file < ScratchDirectory.MostEntries / 5; file++)
            {
                File.CreateSymbolicLink(Path.Combine(path, $"{file}"), "x");
            }
        }

        Assert.Equal(long.MaxValue, _scratch.SizeUpTo(1L << 40));
    }

    [Theory]
    [InlineData(UnixFileMode.None)]
    [InlineData(UnixFileMode.UserRead)]
    [InlineData(UnixFileMode.UserWrite | UnixFileMode.UserExecute)]
    public void A_folder_that_is_closed_is_too_much_and_is_deleted(UnixFileMode mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Modes are for Unix.");
        OrdinaryUser.Run(() =>
        {
            var root = Directory.CreateTempSubdirectory("processpool-tests-").FullName;
            using var scratch = new ScratchDirectory(_log, new HostFolder(root));
            var inner = Directory.CreateDirectory(Path.Combine(scratch.Path, "outer", "inner")).FullName;
            Fill(inner);
            SetMode(inner, mode);
            Assert.Equal(long.MaxValue, scratch.SizeUpTo(100 * MiB));
            SetMode(Path.GetDirectoryName(inner)!, mode);
            Assert.Equal(long.MaxValue, scratch.SizeUpTo(100 * MiB));
            SetMode(scratch.Path, mode);
            Assert.Equal(long.MaxValue, scratch.SizeUpTo(100 * MiB));
            scratch.Dispose();
            Assert.False(Directory.Exists(scratch.Path), "Expected the folder to be deleted.");
            Directory.Delete(root);
        });
        Assert.Equal([], _log.Entries.Select(entry => $"{entry}"));
    }

    [Fact]
    public void What_a_link_leads_to_is_neither_deleted_nor_changed()
    {
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead;
        var outside = Directory.CreateTempSubdirectory("processpool-outside-").FullName;
        try
        {
            Fill(outside);
            SetMode(outside, Mode);
            Directory.CreateSymbolicLink(Path.Combine(Directory.CreateDirectory(Path.Combine(_scratch.Path, "a")).FullName, "away"), outside);
            Directory.CreateSymbolicLink(Path.Combine(_scratch.Path, "away"), outside);
            AssertDeleted();
            Assert.True(File.Exists(Path.Combine(outside, "file")), "Expected what is outside to be left alone.");
            Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(outside) == Mode, "Expected its mode to be left alone.");
        }
        finally
        {
            Directory.Delete(outside, recursive: true);
        }
    }

    [Fact]
    public void A_link_in_its_own_place_is_not_followed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere the link is deleted.");
        var outside = Directory.CreateTempSubdirectory("processpool-outside-").FullName;
        try
        {
            Fill(outside);
            Directory.Delete(_scratch.Path);
            Directory.CreateSymbolicLink(_scratch.Path, outside);
            Assert.Equal(long.MaxValue, _scratch.SizeUpTo(100 * MiB));
            _scratch.Dispose();
            Assert.Single(_log.Entries, entry => entry.Id == 17);
            Assert.True(File.Exists(Path.Combine(outside, "file")), "Expected what is outside to be left alone.");
        }
        finally
        {
            File.Delete(_scratch.Path);
            Directory.Delete(outside, recursive: true);
        }
    }

    [Fact]
    public void What_cannot_be_deleted_is_logged_and_the_rest_is_deleted()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root can make what another user cannot delete.");
        string? path = null;
        var temporary = "";
        OrdinaryUser.Run(() =>
        {
            temporary = Directory.CreateTempSubdirectory("processpool-tests-").FullName;
            using var scratch = new ScratchDirectory(_log, new HostFolder(temporary));
            path = scratch.Path;
            Fill(Directory.CreateDirectory(Path.Combine(path, "own")).FullName);
            using var root = System.Diagnostics.Process.Start("/bin/sh", ["-c", $"mkdir '{path}/roots' && echo > '{path}/roots/file'"])!;
            root.WaitForExit();
        });
        Assert.Single(_log.Entries, entry => entry.Id == 17 && entry.Text.Contains(path!, StringComparison.Ordinal));
        Assert.Equal([Path.Combine(path!, "roots")], Directory.GetFileSystemEntries(path!));
        Directory.Delete(temporary, recursive: true);
    }

    private static void Fill(string folder) => File.WriteAllBytes(Path.Combine(folder, "file"), new byte[MiB]);

    private static void SetMode(string folder, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, mode);
        }
    }

    // From the innermost outwards: no path is long.
    private void Nest(int levels)
    {
        var name = new string('x', 250);
        var inner = Directory.CreateDirectory(Path.Combine(_scratch.Path, "0")).FullName;
        Fill(inner);
        for (var level = 1; level < levels; level++)
        {
            var outer = Directory.CreateDirectory(Path.Combine(_scratch.Path, $"{level}")).FullName;
            Directory.Move(inner, Path.Combine(outer, name));
            inner = outer;
        }
    }

    private void AssertDeleted()
    {
        _scratch.Dispose();
        Assert.False(Directory.Exists(_scratch.Path), "Expected the folder to be deleted.");
        Assert.Empty(_log.Entries);
    }

    [LibraryImport("libc", EntryPoint = "fallocate")]
    private static partial int Reserve(SafeFileHandle file, int mode, long at, long bytes);
}
