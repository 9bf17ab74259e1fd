using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ProcessPool.Diagnostics;

namespace ProcessPool;

/// <summary>
/// Maps a sequence of any length over the pool in bounded memory: an item is read only when there is room for its outcome.
/// </summary>
/// <param name="window">How many items may be under way or waiting to be consumed.</param>
/// <param name="patience">How long an abandoned input may take to end; then it is left behind.</param>
/// <param name="time">The clock for that.</param>
internal sealed class MapPump(int window, TimeSpan patience, TimeProvider time)
{
    /// <summary>Yields one outcome for each item read.</summary>
    /// <param name="items">The input; read one after the other, never ahead of the window.</param>
    /// <param name="call">Makes one call; never fails.</param>
    /// <param name="ordered">In input order, or as completed.</param>
    /// <param name="cancellationToken">Ends the reading and cancels the calls under way.</param>
    public async IAsyncEnumerable<CallOutcome<TResult>> RunAsync<TItem, TResult>(
        IAsyncEnumerable<TItem> items,
        Func<long, TItem, CancellationToken, Task<CallOutcome<TResult>>> call,
        bool ordered,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var stopped = stop.Token;
        var room = new SemaphoreSlim(window);
        var outcomes = Channel.CreateUnbounded<Task<CallOutcome<TResult>>>();

        // The reader and every call under way. The last to leave completes the channel.
        var present = 1;
        var readerLeft = 0;
        var reading = Task.Run(ReadAsync, CancellationToken.None);
        try
        {
            await foreach (var outcome in outcomes.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                var settled = await outcome.ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                room.Release();
                yield return settled;
            }

            // What went wrong in reading comes after the outcomes of what was read.
            cancellationToken.ThrowIfCancellationRequested();
            await reading.ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            ReaderLeaves();
            await foreach (var outcome in outcomes.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                await outcome.ConfigureAwait(false);
            }

            reading.Forget();
            await reading.WaitAsync(patience, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task ReadAsync()
        {
            try
            {
                var source = items.GetAsyncEnumerator(stopped);
                await using var end = source.ConfigureAwait(false);
                for (var index = 0L; ; index++)
                {
                    await room.WaitAsync(stopped).ConfigureAwait(false);
                    if (!await source.MoveNextAsync().ConfigureAwait(false) || stopped.IsCancellationRequested)
                    {
                        return;
                    }

                    Interlocked.Increment(ref present);
                    _ = FollowAsync(call(index, source.Current, stopped));
                }
            }
            finally
            {
                ReaderLeaves();
            }
        }

        async Task FollowAsync(Task<CallOutcome<TResult>> outcome)
        {
            if (ordered)
            {
                outcomes.Writer.TryWrite(outcome);
            }

            await outcome.ConfigureAwait(false);
            if (!ordered)
            {
                outcomes.Writer.TryWrite(outcome);
            }

            Leave();
        }

        // Whoever comes first: the input has ended, or nobody wants the rest. An input that ignores that must not hold up the end.
        void ReaderLeaves()
        {
            if (Interlocked.Exchange(ref readerLeft, 1) == 0)
            {
                Leave();
            }
        }

        void Leave()
        {
            if (Interlocked.Decrement(ref present) == 0)
            {
                outcomes.Writer.TryComplete();
            }
        }
    }
}
