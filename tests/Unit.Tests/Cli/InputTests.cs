using System.Text.Json;
using ProcessPool.Cli.Input;
using ProcessPool.Text;

namespace ProcessPool.Unit.Tests.Cli;

public sealed class InputTests
{
    private static readonly EntryPointInfo None = new("None", [], "void");
    private static readonly EntryPointInfo One = new("One", [new("value", "long", false)], "long");
    private static readonly EntryPointInfo Two = new("Two", [new("a", "long", false), new("b", "long", true)], "long");

    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("3s", 3_000)]
    [InlineData("0.5s", 500)]
    [InlineData("2m", 120_000)]
    [InlineData("1h", 3_600_000)]
    public void Durations_have_units(string text, double milliseconds) => Assert.Equal(milliseconds, Duration.TryParse(text)!.Value.TotalMilliseconds);

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("s")]
    [InlineData("1 s")]
    [InlineData("1sm")]
    [InlineData("0.00001ms")]
    [InlineData("1e999h")]
    [InlineData("99999999999999h")]
    public void Other_durations_are_refused(string text) => Assert.Null(Duration.TryParse(text));

    [Theory]
    [InlineData("1024", 1024)]
    [InlineData("1B", 1)]
    [InlineData("512M", 536_870_912)]
    [InlineData("1.5G", 1_610_612_736)]
    [InlineData("2KiB", 2_048)]
    public void Sizes_have_units(string text, long bytes) => Assert.Equal(bytes, ByteSize.TryParse(text));

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("0")]
    [InlineData("-1M")]
    [InlineData("1X")]
    [InlineData("1 M")]
    [InlineData("99999999999T")]
    public void Other_sizes_are_refused(string text) => Assert.Null(ByteSize.TryParse(text));

    [Fact]
    public void Lines_bind_by_the_signature()
    {
        Assert.Equal("[7]", Payload(ArgumentText.FromLine("7", One)));
        Assert.Equal("[[7]]", Payload(ArgumentText.FromLine("[7]", One)));
        Assert.Equal("[{}]", Payload(ArgumentText.FromLine("{}", One)));
        Assert.Equal("{}", Payload(ArgumentText.FromLine("{}", None)));
        Assert.Equal("[7,8]", Payload(ArgumentText.FromLine("[7,8]", Two)));
        Assert.Equal("""{"VALUE":7}""", Payload(ArgumentText.FromLine("""{"VALUE":7}""", One)));
        Assert.Equal("""[{"other":7}]""", Payload(ArgumentText.FromLine("""{"other":7}""", One)));
        Assert.Equal("""["a \u0022b"]""", Payload(ArgumentText.FromRawLine("a \"b")));
        Assert.Equal("""[7,"x","[1",{"a":1}]""", Payload(ArgumentText.FromCommandLine(["7", "x", "[1", "{\"a\":1}"])));
    }

    [Fact]
    public async Task Lines_come_as_they_are_asked_for_and_blank_ones_are_skipped()
    {
        using var reader = new LineReader(new MemoryStream("a\n\n  \nb\r\nc"u8.ToArray()));
        Assert.Equal([new(1, "a"), new(4, "b"), new(5, "c")], await reader.ReadAsync(CancellationToken.None).ToListAsync());
    }

    [Fact]
    public async Task A_line_ends_at_a_line_feed_alone_however_long_it_is()
    {
        var text = string.Join('\n', ["a\rb\r", new string('x', 40_000), "\ufeffc\r\r", "last\r"]);
        using var reader = new LineReader(new MemoryStream(System.Text.Encoding.UTF8.GetBytes("\ufeff" + text)));
        Assert.Equal(["a\rb", new string('x', 40_000), "\ufeffc\r", "last"], (await reader.ReadAsync(CancellationToken.None).ToListAsync()).Select(line => line.Text));
    }

    [Fact]
    public void The_check_of_a_line_is_its_crc_32c_in_utf_8() =>
        // The check value of CRC-32C: https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iscsi
        Assert.Equal((0xE3069283u, 0x90F599E3u), (new InputLine(1, "123456789").Check(), new InputLine(1, "1").Check()));

    private static string Payload(CallArguments arguments) => System.Text.Encoding.UTF8.GetString(arguments.ToPayload(new CallPlace("p", 1, "E"), Binding.Payload.PayloadJson.ForHost(null)).Json.Span);
}
