using Microsoft.Extensions.Logging.Abstractions;
using ProcessPool.Launch;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>How much a scratch folder holds, whatever a plugin has made in it.</summary>
public sealed class ScratchDirectoryTests : IDisposable
{
    private readonly ScratchDirectory _scratch = new(NullLogger.Instance);

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Files_at_every_depth_count_and_links_do_not()
    {
        var deep = Directory.CreateDirectory(Path.Combine(_scratch.Path, "a", "b")).FullName;
        File.WriteAllBytes(Path.Combine(_scratch.Path, "one"), new byte[100]);
        File.WriteAllBytes(Path.Combine(deep, "two"), new byte[50]);
        Directory.CreateSymbolicLink(Path.Combine(deep, "round"), _scratch.Path);
        Assert.Equal(150, _scratch.SizeUpTo(1_000));
        Assert.True(_scratch.SizeUpTo(10) > 10);
    }

    [Fact]
    public void A_name_that_is_no_text_counts_as_too_much()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Names are bytes on Linux.");
        using var shell = System.Diagnostics.Process.Start("/bin/sh", ["-c", $"mkdir \"$(printf '{_scratch.Path}/\\377')\""])!;
        shell.WaitForExit();
        Assert.Equal(long.MaxValue, _scratch.SizeUpTo(1_000));
        using var clean = System.Diagnostics.Process.Start("/bin/sh", ["-c", $"rmdir \"$(printf '{_scratch.Path}/\\377')\""])!;
        clean.WaitForExit();
    }

    [Fact]
    public void A_folder_that_is_gone_holds_nothing()
    {
        Directory.Delete(_scratch.Path);
        Assert.Equal(0, _scratch.SizeUpTo(1_000));
    }
}
