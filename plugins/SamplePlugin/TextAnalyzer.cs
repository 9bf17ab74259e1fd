using ProcessPool;

namespace SamplePlugin;

/// <summary>The typed contract over <see cref="WordCounter"/>. One instance lives in each worker.</summary>
[EntryPoint]
public sealed class TextAnalyzer : ITextAnalyzer
{
    [EntryPoint("TextStatistics")]
    public static async Task<TextStatistics> AnalyzeAsync(string path, CancellationToken cancellationToken)
    {
        using var file = new StreamReader(path);
        return await WordCounter.CountAsync(path, file, cancellationToken);
    }

    public Task<TextStatistics> AnalyzeFileAsync(string path, CancellationToken cancellationToken) => AnalyzeAsync(path, cancellationToken);

    public Task<TextStatistics> AnalyzeAsync(string text) => WordCounter.CountAsync("", new StringReader(text), CancellationToken.None);
}
