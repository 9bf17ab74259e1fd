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

    /// <summary>Copies them, one behind the other.</summary>
    /// <exception cref="IOException">The file has become shorter than they are.</exception>
    public static void Copy(this IReadOnlyList<(long Start, long End)> ranges, FileStream from, Stream to)
    {
        var block = new byte[1 << 20];
        foreach (var (start, end) in ranges)
        {
            for (var at = start; at < end;)
            {
                var read = RandomAccess.Read(from.SafeFileHandle, block.AsSpan(0, (int)Math.Min(block.Length, end - at)), at);
                if (read == 0)
                {
                    throw new IOException($"'{from.Name}' has become shorter while it was read: something else writes to it. It is as that left it.");
                }

                to.Write(block, 0, read);
                at += read;
            }
        }
    }
}
