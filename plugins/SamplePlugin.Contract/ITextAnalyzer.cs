namespace SamplePlugin;

/// <summary>What a host may ask of the plugin, typed. Host and plugin each load their own copy of this assembly.</summary>
public interface ITextAnalyzer
{
    /// <summary>Counts the lines and words of a text file.</summary>
    Task<TextStatistics> AnalyzeFileAsync(string path, CancellationToken cancellationToken);

    /// <summary>Counts the lines and words of a text.</summary>
    Task<TextStatistics> AnalyzeAsync(string text);
}

/// <summary>What a text consists of.</summary>
/// <param name="Path">The file, or "" for a text that is none.</param>
/// <param name="Lines">How many lines.</param>
/// <param name="Words">How many words: runs of letters and digits.</param>
/// <param name="DistinctWords">How many different words, ignoring case.</param>
/// <param name="MostFrequent">The ten most frequent words, most frequent first, then by alphabet.</param>
public sealed record TextStatistics(string Path, long Lines, long Words, long DistinctWords, IReadOnlyList<WordCount> MostFrequent);

/// <summary>A word and how often it occurs.</summary>
public sealed record WordCount(string Word, long Count);
