using ProcessPool.Cli.Output;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Cli;

public sealed class OutputRangesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("output-").FullName;

    [Fact]
    public void Ranges_are_copied_one_behind_the_other()
    {
        using var copy = new MemoryStream();
        using var file = OfText("0123456789");
        new[] { (0L, 3L), (5L, 10L) }.Copy(file, copy);
        Assert.Equal("01256789"u8, copy.ToArray());
    }

    [Fact]
    public void A_file_that_has_become_shorter_is_an_error_that_says_so()
    {
        using var file = OfText("0123");
        var error = Assert.Throws<IOException>(() => new[] { (0L, 10L) }.Copy(file, Stream.Null));
        Assert.StartsWith($"'{file.Name}' has become shorter", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Folders.Delete(_folder);

    private FileStream OfText(string text)
    {
        var path = Path.Combine(_folder, "out");
        File.WriteAllText(path, text);
        return File.OpenRead(path);
    }
}
