using System.Runtime.CompilerServices;

namespace ProcessPool.Cli.Input;

/// <summary>The lines of a file or of standard input, as they are asked for. Blank lines are skipped.</summary>
internal sealed class LineReader(Stream input) : IDisposable
{
    private readonly StreamReader _reader = new(input);

    /// <summary>How much of the input was read, from 0 to 1; null when its length is unknown.</summary>
    public double? Fraction => input is FileStream { CanSeek: true, Length: > 0 } file ? (double)file.Position / file.Length : null;

    /// <param name="drain">Ends the sequence early, without an error.</param>
    /// <param name="cancellationToken">Ends it with one.</param>
    public async IAsyncEnumerable<string> ReadAsync(CancellationToken drain, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await NextAsync(drain, cancellationToken) is { } line)
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                yield return line;
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

        var read = _reader.ReadLineAsync(CancellationToken.None);
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
}
