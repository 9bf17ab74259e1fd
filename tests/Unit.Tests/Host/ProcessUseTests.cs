using System.Runtime.Versioning;
using ProcessPool.Launch;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>What a process uses can be read whatever it does against that.</summary>
[SupportedOSPlatform("linux")]
public sealed class ProcessUseTests
{
    [Fact]
    public void A_process_that_locks_its_status_is_read_nevertheless()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /proc.");
        using var locked = new FileStream("/proc/self/status", FileMode.Open, FileAccess.Read, FileShare.None);
        Assert.Throws<IOException>(() => File.ReadAllText("/proc/self/status"));
        Assert.True(ProcessUse.OfLinuxProcess(Environment.ProcessId) is { Resident: > 0, Peak: > 0, Threads: > 1 }, "Expected it to be read without a lock.");
    }

    [Fact]
    public void Processor_time_is_read_of_a_process_that_locks_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /proc.");
        using var locked = new FileStream("/proc/self/stat", FileMode.Open, FileAccess.Read, FileShare.None);
        Assert.True(ProcessorTime.OfLinuxProcess(Environment.ProcessId) > TimeSpan.Zero, "Expected it to be read without a lock.");
        Assert.Null(ProcessorTime.OfLinuxProcess(int.MaxValue));
    }

    [Theory]
    [InlineData("4711 (dotnet) S 1 2 3 0 -1 4 5 6 7 8 150 50 9 9 20", 2.0)]
    [InlineData("4711 (a) b) 7 (c) S 1 2 3 0 -1 4 5 6 7 8 150 50 9 9 20", 2.0)]
    [InlineData("4711 (dotnet) S 1", null)]
    [InlineData("", null)]
    public void A_name_passes_for_no_processor_time(string stat, double? seconds) => Assert.Equal(seconds, ProcessorTime.Parse(System.Text.Encoding.UTF8.GetBytes(stat))?.TotalSeconds);

    [Fact]
    public void A_process_that_does_not_exist_is_told_from_one_that_cannot_be_read()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /proc.");
        Assert.Null(ProcessUse.OfLinuxProcess(int.MaxValue));
    }

    [Theory]
    [InlineData("name")]
    [InlineData("\rThreads:\t1")]
    [InlineData("VmRSS:\t1 kB\\n")]
    public void A_name_passes_for_nothing_else(string name) =>
        Assert.Equal(new ProcessUse(12_345 * 1024, 23_456 * 1024, 21), ProcessUse.Parse(System.Text.Encoding.UTF8.GetBytes($"Name:\t{name}\nUmask:\t0022\nVmHWM:\t   23456 kB\nVmRSS:\t   12345 kB\nThreads:\t21\nSigQ:\t1/2\n")));
}
