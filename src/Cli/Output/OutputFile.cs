using System.Buffers.Text;
using System.Runtime.InteropServices;
using ProcessPool.Cli.Joblog;

namespace ProcessPool.Cli.Output;

/// <summary>An output that is a file: what earlier runs wrote to it is read, and put right before and after another run.</summary>
internal sealed class OutputFile : IDisposable
{
    private readonly string _name;
    private readonly string _path;

    private OutputFile(string name, string path, FileStream stream)
    {
        (_name, _path, Stream) = (name, path, stream);
        IsKept = stream.CanSeek && !OwnFile.IsDevice(path);
    }

    /// <summary>Whether what is written to it can be read again: it is no pipe and no device.</summary>
    public bool IsKept { get; }

    /// <summary>The file, to write to.</summary>
    public FileStream Stream { get; private set; }

    private string NewPath => _path + ".processpool-new";

    /// <summary>Opens a file, or makes it; its content stays.</summary>
    /// <param name="path">Its path; a link is followed.</param>
    /// <param name="resume">Whether it will be read, too.</param>
    /// <exception cref="UsageException">It cannot be opened, or is in use.</exception>
    public static OutputFile Open(string path, bool resume)
    {
        var stream = OwnFile.Open(path, "the output", resume ? FileAccess.ReadWrite : FileAccess.Write);
        return new OutputFile(path, OwnFile.Resolved(path), stream);
    }

    /// <summary>Whether there is something in it.</summary>
    public bool HasContent => Stream is { CanSeek: true, Length: > 0 };

    /// <summary>Throws its content away.</summary>
    public void Clear()
    {
        if (HasContent)
        {
            Stream.SetLength(0);
        }
    }

    /// <summary>Tells a history which successes are in it.</summary>
    /// <exception cref="UsageException">A line is none of map's.</exception>
    public void Read(MapHistory history)
    {
        File.Delete(NewPath);
        foreach (var line in Lines())
        {
            if (!line.IsError)
            {
                history.AddWritten(line.Index);
            }
        }
    }

    /// <summary>Keeps of it what is done, each once, and nothing else: no errors, nothing that the joblog does not know, no torn line.</summary>
    public void KeepDone(MapHistory history)
    {
        var kept = Lines().Where(line => !line.IsError && history.Keep(line.Index)).ToRanges();
        if (kept.Count <= 1 && kept.All(range => range.Start == 0))
        {
            Stream.SetLength(kept.Count == 0 ? 0 : kept[0].End);
        }
        else
        {
            Rewrite(kept);
        }

        Stream.Position = Stream.Length;
    }

    /// <summary>Puts its lines in the order of the input, if they are not.</summary>
    public void Sort()
    {
        var lines = Lines().ToList();
        if (lines.Zip(lines.Skip(1)).Any(pair => pair.First.Index > pair.Second.Index))
        {
            CollectionsMarshal.AsSpan(lines).Sort((one, other) => one.Index.CompareTo(other.Index));
            Rewrite(lines.ToRanges());
        }
    }

    public void Dispose() => Stream.Dispose();

    private IEnumerable<OutputLine> Lines()
    {
        Stream.Position = 0;
        var scanner = new LineScanner(Stream, longest: 64);
        for (var number = 1L; TryRead(scanner, number, out var line); number++)
        {
            yield return line;
        }
    }

    private bool TryRead(LineScanner scanner, long number, out OutputLine line)
    {
        line = default;
        if (!scanner.TryRead(out var text))
        {
            return false;
        }

        if (text.StartsWith("{\"index\":"u8) && Utf8Parser.TryParse(text[9..], out long index, out var digits) && index >= 0)
        {
            var rest = text[(9 + digits)..];
            if (rest.StartsWith(",\"value\":"u8) || rest.StartsWith(",\"error\":"u8))
            {
                line = new OutputLine(scanner.Start, scanner.End, index, rest[2] == (byte)'e');
                return true;
            }
        }

        throw new UsageException($"Line {number} of '{_name}' is none that map writes: it is the output of something else, or was changed. Give the output that belongs to the joblog.");
    }

    // Beside it, then renamed: whoever is killed meanwhile leaves it as it was.
    private void Rewrite(IReadOnlyList<(long Start, long End)> ranges)
    {
        var written = OwnFile.Open(NewPath, "the output", FileAccess.ReadWrite);
        try
        {
            written.SetLength(0);
            ranges.Copy(Stream, written);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(written.SafeFileHandle, File.GetUnixFileMode(Stream.SafeFileHandle));
            }

            written.Flush(flushToDisk: true);
            File.Move(NewPath, _path, overwrite: true);
        }
        catch
        {
            written.Dispose();
            File.Delete(NewPath);
            throw;
        }

        Stream.Dispose();
        Stream = written;
    }
}
