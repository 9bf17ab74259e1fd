namespace ProcessPool.Cli.Output;

/// <summary>A line that an earlier run wrote.</summary>
/// <param name="Start">Where it begins in the file.</param>
/// <param name="End">Where it ends.</param>
/// <param name="Index">Of which line of input it is.</param>
/// <param name="IsError">Whether it is an error.</param>
internal readonly record struct OutputLine(long Start, long End, long Index, bool IsError);

/// <summary>Lines as what is copied at once.</summary>
internal static class OutputRanges
{
    /// <summary>Where lines are, those that follow each other together.</summary>
    public static List<(long Start, long End)> ToRanges(this IEnumerable<OutputLine> lines)
    {
        var ranges = new List<(long Start, long End)>();
        foreach (var line in lines)
        {
            if (ranges.Count > 0 && ranges[^1].End == line.Start)
            {
                ranges[^1] = (ranges[^1].Start, line.End);
            }
            else
            {
                ranges.Add((line.Start, line.End));
            }
        }

        return ranges;
    }
}
