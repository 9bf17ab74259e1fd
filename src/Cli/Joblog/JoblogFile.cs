using System.Buffers;
using System.Text;
using ProcessPool.Cli.Output;

namespace ProcessPool.Cli.Joblog;

/// <summary>The file that has a line for each outcome, so that another run can go on where this one ended. Locked while it is open.</summary>
internal sealed class JoblogFile : IDisposable
{
    private const int FullBytes = 64 * 1024;

    // No line of input is that far ahead of the lines that are in the file already, each of which takes a byte at least.
    private const long MaxAhead = 10_000_000;

    private readonly FileStream _file;
    private readonly ArrayBufferWriter<byte> _lines = new();
    private string _command = "";

    private JoblogFile(string path, FileStream file) => (Path, _file) = (path, file);

    /// <summary>The path, as it was given.</summary>
    public string Path { get; }

    /// <summary>Whether no run has written to it.</summary>
    public bool IsEmpty => _file.Length == 0;

    /// <summary>Whether what was added is worth to be sent on.</summary>
    public bool IsFull => _lines.WrittenCount >= FullBytes;

    /// <summary>Opens it, or makes it.</summary>
    /// <exception cref="UsageException">It cannot be opened, is in use, or is something else.</exception>
    public static JoblogFile Open(string path)
    {
        var file = OwnFile.Open(path, "the joblog", FileAccess.ReadWrite);
        try
        {
            if (!file.CanSeek)
            {
                throw new UsageException($"The joblog '{path}' is no file: it cannot be read again.");
            }

            CutTornLine(file, path);
            return new JoblogFile(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads what earlier runs wrote.</summary>
    /// <param name="history">Told of each outcome.</param>
    /// <returns>What the last run called.</returns>
    /// <exception cref="UsageException">A line is not understood.</exception>
    public JoblogRun Read(MapHistory history)
    {
        _file.Position = 0;
        var last = (JoblogRun?)null;
        var number = 0L;
        var reader = new LineScanner(_file);
        while (reader.TryRead(out var line))
        {
            number++;
            if (line is [(byte)'#', ..])
            {
                last = JoblogRun.TryRead(Encoding.UTF8.GetString(line)) ?? throw NotUnderstood(number);
            }
            else if (JoblogRecord.TryRead(line, out var record) && record.Index < _file.Length + MaxAhead && record.Index < int.MaxValue)
            {
                history.Add(record.Index, record.Succeeded, record.Check);
            }
            else if (!line.SequenceEqual(Encoding.UTF8.GetBytes(JoblogRecord.Columns)))
            {
                throw NotUnderstood(number);
            }
        }

        return last ?? throw NotUnderstood(1);
    }

    /// <summary>Begins a run's part.</summary>
    public void Begin(JoblogRun run)
    {
        _file.Position = _file.Length;
        _command = PluginText.Clean(run.EntryPoint);
        _lines.Write(Encoding.UTF8.GetBytes($"{run.ToLine()}\n{(IsEmpty ? JoblogRecord.Columns + "\n" : "")}"));
        Flush();
    }

    /// <summary>Adds an outcome. Not before its line of output was sent on, or is before this is.</summary>
    public void Add(JoblogRecord record) => record.WriteTo(_lines, _command);

    /// <summary>Sends on what was added.</summary>
    public void Flush()
    {
        if (_lines.WrittenCount == 0)
        {
            return;
        }

        try
        {
            _file.Write(_lines.WrittenSpan);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new JoblogException($"The joblog '{Path}' cannot be written: {exception.Message}", exception);
        }
        finally
        {
            _lines.ResetWrittenCount();
        }
    }

    public void Dispose() => _file.Dispose();

    // What is no joblog is left as it is.
    private static void CutTornLine(FileStream file, string path)
    {
        var mark = Encoding.UTF8.GetBytes(JoblogRun.Mark);
        var start = new byte[Math.Min(mark.Length, file.Length)];
        file.ReadExactly(start);
        if (!mark.AsSpan().StartsWith(start))
        {
            throw new UsageException($"'{path}' is no joblog of processpool: it does not begin with '{JoblogRun.Mark.TrimEnd()}'. Give another file.");
        }

        var end = file.Length;
        var block = new byte[4096];
        while (end > 0)
        {
            var begin = Math.Max(0, end - block.Length);
            file.Position = begin;
            file.ReadExactly(block, 0, (int)(end - begin));
            if (block.AsSpan(0, (int)(end - begin)).LastIndexOf((byte)'\n') is >= 0 and var at)
            {
                end = begin + at + 1;
                break;
            }

            end = begin;
        }

        if (end < file.Length)
        {
            file.SetLength(end);
        }
    }

    private UsageException NotUnderstood(long line) =>
        new($"Line {line} of the joblog '{Path}' is not understood: it is damaged, or of another program. Mend or delete that line, or give a new joblog and output.");
}
