namespace ProcessPool.Cli.Joblog;

/// <summary>The whole lines of a file as bytes, with where they are. What follows the last line's end is none.</summary>
/// <param name="file">Read from where it stands.</param>
/// <param name="longest">How much of a line is kept; the rest is passed over.</param>
internal sealed class LineScanner(FileStream file, int longest = 64 * 1024)
{
    private readonly byte[] _block = new byte[1 << 20];
    private readonly byte[] _head = new byte[longest];
    private int _from;
    private int _to;

    /// <summary>Where the line that was read last begins.</summary>
    public long Start { get; private set; }

    /// <summary>Where it ends, behind its line feed.</summary>
    public long End { get; private set; } = file.Position;

    /// <summary>Reads the next line.</summary>
    /// <param name="line">Its beginning, without its line feed; valid until the next one is read.</param>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        var end = End;
        var kept = 0;
        while (true)
        {
            if (_from == _to)
            {
                (_from, _to) = (0, file.Read(_block));
                if (_to == 0)
                {
                    line = default;
                    return false;
                }
            }

            var rest = _block.AsSpan(_from.._to);
            var at = rest.IndexOf((byte)'\n');
            var part = at < 0 ? rest : rest[..at];
            if (at >= 0 && kept == 0)
            {
                // The usual case: it is whole in the block.
                line = part[..Math.Min(part.Length, longest)];
            }
            else
            {
                var fits = Math.Min(part.Length, longest - kept);
                part[..fits].CopyTo(_head.AsSpan(kept));
                kept += fits;
                line = _head.AsSpan(0, kept);
            }

            var taken = at < 0 ? rest.Length : at + 1;
            _from += taken;
            end += taken;
            if (at >= 0)
            {
                (Start, End) = (End, end);
                return true;
            }
        }
    }
}
