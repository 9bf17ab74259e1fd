using System.Threading.Channels;

namespace ProcessPool.Calls;

/// <summary>What of a map is under way: sources of outcomes, and the reader of the input until it has ended.</summary>
/// <param name="ordered">Whether outcomes come in input order.</param>
/// <param name="stopped">Cancelled when nobody wants them any more.</param>
internal sealed class OutcomeSources<T>(bool ordered, CancellationToken stopped)
{
    private readonly Channel<OutcomeSource<T>> _signals = Channel.CreateUnbounded<OutcomeSource<T>>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Channel<OutcomeSource<T>> _inOrder = Channel.CreateUnbounded<OutcomeSource<T>>(new UnboundedChannelOptions { SingleReader = true });

    // The last to leave completes the channel.
    private int _present = 1;
    private int _readerLeft;

    /// <summary>In order, the next one; otherwise one that has told of outcomes; null: none just now.</summary>
    public OutcomeSource<T>? Next()
    {
        if (ordered)
        {
            return _inOrder.Reader.TryRead(out var first) ? first : null;
        }

        if (_signals.Reader.TryRead(out var signalled))
        {
            signalled.Looked();
            return signalled;
        }

        return null;
    }

    /// <summary>Waits until there is something to look at.</summary>
    /// <returns>False when all have left.</returns>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (!await _signals.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        while (ordered && _signals.Reader.TryRead(out var signalled))
        {
            signalled.Looked();
        }

        return true;
    }

    /// <summary>Ends when all have left.</summary>
    public async Task LeftAsync()
    {
        await foreach (var _ in _signals.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
        }
    }

    /// <summary>Makes one, and gives it its place in the order.</summary>
    /// <returns>Null when nobody wants it any more.</returns>
    public OutcomeSource<T>? Admit(Func<OutcomeSource<T>> make)
    {
        // Counted first: whoever ends the map waits for it, or has ended it before; then nobody wants it.
        Interlocked.Increment(ref _present);
        if (stopped.IsCancellationRequested)
        {
            Leave();
            return null;
        }

        try
        {
            var source = make();
            source.TellOf(signalled => _signals.Writer.TryWrite(signalled));
            if (ordered)
            {
                _inOrder.Writer.TryWrite(source);
            }

            return source;
        }
        catch
        {
            Leave();
            throw;
        }
    }

    /// <summary>Starts it.</summary>
    /// <returns>Ends when the pool's queue has taken it, as far as that is to be waited for.</returns>
    public Task Start(OutcomeSource<T>? source)
    {
        if (source is null)
        {
            return Task.CompletedTask;
        }

        _ = LeaveAfterAsync(source);
        return source.Queued;
    }

    /// <summary>The input has ended, or nobody wants the rest: whoever comes first. An input that ignores that must not hold up the end.</summary>
    public void ReaderLeaves()
    {
        if (Interlocked.Exchange(ref _readerLeft, 1) == 0)
        {
            Leave();
        }
    }

    private async Task LeaveAfterAsync(OutcomeSource<T> source)
    {
        try
        {
            await source.RunAsync().ConfigureAwait(false);
        }
        finally
        {
            Leave();
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _present) == 0)
        {
            _signals.Writer.TryComplete();
        }
    }
}
