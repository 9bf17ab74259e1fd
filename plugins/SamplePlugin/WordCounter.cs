namespace SamplePlugin;

/// <summary>Reads a text line by line, so that its size does not matter; only the distinct words are kept.</summary>
internal static class WordCounter
{
    private const int MostFrequent = 10;

    public static async Task<TextStatistics> CountAsync(string path, TextReader text, CancellationToken cancellationToken)
    {
        long lines = 0;
        long words = 0;
        var counts = new Dictionary<string, long>(StringComparer.OrdinalIgnoreCase);
        while (await text.ReadLineAsync(cancellationToken) is { } line)
        {
            lines++;
            foreach (var word in Split(line))
            {
                words++;
                counts[word] = counts.GetValueOrDefault(word) + 1;
            }
        }

        var most = counts.OrderByDescending(count => count.Value).ThenBy(count => count.Key, StringComparer.OrdinalIgnoreCase).Take(MostFrequent);
        return new TextStatistics(path, lines, words, counts.Count, [.. most.Select(count => new WordCount(count.Key.ToLowerInvariant(), count.Value))]);
    }

    private static IEnumerable<string> Split(string line)
    {
        for (var start = 0; start < line.Length;)
        {
            var end = start;
            while (end < line.Length && char.IsLetterOrDigit(line[end]))
            {
                end++;
            }

            if (end > start)
            {
                yield return line[start..end];
            }

            start = end + 1;
        }
    }
}
