using System.Text;
using ProcessPool.Launch;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

public sealed class OutputTests
{
    [Fact]
    public async Task Output_is_split_into_lines_and_the_last_one_is_not_lost() =>
        Assert.Equal(["one", "", "two", "last"], await PumpAsync("one\n\r\ntwo\r\nlast"u8.ToArray()));

    [Fact]
    public async Task Invalid_utf8_and_control_characters_are_replaced() =>
        Assert.Equal(["a\uFFFDb [31mred\tc", "line x y z", "5 3"], await PumpAsync([(byte)'a', 0xFF, (byte)'b', 0x1B, .. "[31mred\tc\nline\rx\u202Ey\u2028z\r\n5\r3\r"u8]));

    [Fact]
    public async Task A_line_without_end_is_cut()
    {
        var lines = await PumpAsync(Encoding.UTF8.GetBytes(new string('x', 150_000)));
        Assert.Equal([65_536, 65_536, 18_928], lines.Select(line => line.Length));
    }

    [Fact]
    public void The_tail_keeps_the_last_fifty_lines_and_eight_thousand_characters()
    {
        var tail = new OutputTail();
        for (var i = 0; i < 100; i++)
        {
            tail.Add($"line {i}");
        }

        Assert.Equal(50, tail.Text.Split('\n').Length);
        Assert.StartsWith("line 50\n", tail.Text);
        tail.Add(new string('x', 100_000));
        Assert.Equal(8 * 1024, tail.Text.Length);
    }

    [Fact]
    public void What_the_runtime_says_first_when_it_dies_is_kept_above_a_long_stack_trace()
    {
        var tail = new OutputTail();
        tail.Add("before");
        tail.Add("Stack overflow.");
        for (var i = 0; i < 200; i++)
        {
            tail.Add($"   at Frame{i}");
        }

        var lines = tail.Text.Split('\n');
        Assert.Equal(["Stack overflow.", "   at Frame0", "   at Frame1", "   at Frame2", "…"], lines[..5]);
        Assert.Equal("   at Frame199", lines[^1]);
        Assert.Equal(CrashReason.StackOverflow, ExitClassifier.Reason(134, tail.Text));
    }

    [Theory]
    [InlineData(0, "", CrashReason.ExitCalled, null)]
    [InlineData(0, "Out of memory.", CrashReason.ExitCalled, null)]
    [InlineData(139, "Stack overflow.", CrashReason.Crashed, "SIGSEGV")]
    [InlineData(3, "", CrashReason.ExitCalled, null)]
    [InlineData(139, "", CrashReason.Crashed, "SIGSEGV")]
    [InlineData(137, "", CrashReason.KilledFromOutside, "SIGKILL")]
    [InlineData(134, "Stack overflow.\n at X", CrashReason.StackOverflow, "SIGABRT")]
    [InlineData(134, "Out of memory.", CrashReason.OutOfMemory, "SIGABRT")]
    [InlineData(134, "Unhandled exception. System.Exception", CrashReason.Crashed, "SIGABRT")]
    [InlineData(128 + 40, "", CrashReason.Crashed, "signal 40")]
    [InlineData(68, "The host's messages cannot be read: System.OutOfMemoryException: no", CrashReason.OutOfMemory, null)]
    [InlineData(68, "The host's messages cannot be read: System.FormatException: no", CrashReason.ExitCalled, null)]
    [InlineData(3, "System.OutOfMemoryException", CrashReason.ExitCalled, null)]
    [InlineData(255, "", CrashReason.ExitCalled, null)]
    public void Exit_codes_and_last_words_become_reasons(int exitCode, string tail, CrashReason reason, string? signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        Assert.Equal((reason, signal), (ExitClassifier.Reason(exitCode, tail), ExitClassifier.Signal(exitCode)));
    }

    private static async Task<List<string>> PumpAsync(byte[] bytes)
    {
        var lines = new List<string>();
        await OutputPump.RunAsync(new MemoryStream(bytes), lines.Add);
        return lines;
    }
}
