using System.Runtime.CompilerServices;
using System.Text;

namespace ProcessPool.Cli.Input;

/// <summary>
/// The lines of a file or of standard input, as they are asked for: text in UTF-8, or with a byte order mark in UTF-16. A line ends with a line feed; a carriage return before it belongs to the end.
/// Blank lines are skipped.
/// </summary>
internal sealed class LineReader(Stream input) : IDisposable
{
    private readonly StreamReader _reader = new(input);
    private readonly char[] _block = new char[16 * 1024];
    private readonly StringBuilder _begun = new();
    private int _from;
    private int _to;

    /// <summary>How much of the input was read, from 0 to 1; null when its length is unknown.</summary>
    public double? Fraction => input is FileStream { CanSeek: true, Length: > 0 } file ? (double)file.Position / file.Length : null;

    /// <summary>Whether it can be read again.</summary>
    public bool CanSeek => input is FileStream { CanSeek: true };

    /// <summary>Opens a file, or standard input for "-".</summary>
    /// <exception cref="UsageException">It cannot be read.</exception>
    public static LineReader Open(string path)
    {
        if (path == "-")
        {
            return StandardStreams.IsClosed(0) ? throw new UsageException("Standard input is closed: give --input FILE, or something to read.") : new LineReader(Console.OpenStandardInput());
        }

        try
        {
            return new LineReader(File.OpenRead(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"'{path}' cannot be read: {(Directory.Exists(path) ? "it is a folder." : exception.Message)}");
        }
    }

    /// <param name="drain">Ends the sequence early, without an error.</param>
    /// <param name="cancellationToken">Ends it with one.</param>
    public async IAsyncEnumerable<InputLine> ReadAsync(CancellationToken drain, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (var number = 1L; await NextAsync(drain, cancellationToken) is { } line; number++)
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                yield return new InputLine(number, line);
            }
        }
    }

    public void Dispose() => _reader.Dispose();

    // A read of a terminal or a pipe cannot be cancelled; it is left behind.
    private async Task<string?> NextAsync(CancellationToken drain, CancellationToken cancellationToken)
    {
        if (drain.IsCancellationRequested)
        {
            return null;
        }

        var read = ReadLineAsync();
        if (read.IsCompleted)
        {
            return await read;
        }

        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(drain, cancellationToken);
            return await Task.Run(() => read.AsTask(), CancellationToken.None).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (drain.IsCancellationRequested)
        {
            return null;
        }
    }

    // StreamReader's would end a line at a carriage return too, which may stand in the middle of a JSON text or a file name.
    private async ValueTask<string?> ReadLineAsync()
    {
        while (true)
        {
            var at = Array.IndexOf(_block, '\n', _from, _to - _from);
            var end = at < 0 ? _to : at;
            if (at >= 0 && _begun.Length == 0)
            {
                return Take(new string(_block, _from, end - _from), end);
            }

            _begun.Append(_block, _from, end - _from);
            if (at >= 0)
            {
                return TakeBegun(end);
            }

            (_from, _to) = (0, await _reader.ReadAsync(_block));
            if (_to == 0)
            {
                return _begun.Length == 0 ? null : TakeBegun(-1);
            }
        }

        string TakeBegun(int end)
        {
            var line = _begun.ToString();
            _begun.Clear();
            return Take(line, end);
        }

        string Take(string line, int end)
        {
            _from = end + 1;
            return line.EndsWith('\r') ? line[..^1] : line;
        }
    }
}
