using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace ProcessPool;

/// <summary>
/// Maps a sequence of any length over the pool in bounded memory: an item is read only when there is room for its outcome.
/// </summary>
internal static class MapPump
{
    /// <summary>Yields one outcome for each item read.</summary>
    /// <param name="items">The input; read one after the other, never ahead of the window.</param>
    /// <param name="call">Makes one call; never fails.</param>
    /// <param name="ordered">In input order, or as completed.</param>
    /// <param name="window">How many items may be under way or waiting to be consumed.</param>
    /// <param name="cancellationToken">Ends the reading and cancels the calls under way.</param>
    public static async IAsyncEnumerable<CallOutcome<TResult>> RunAsync<TItem, TResult>(
        IAsyncEnumerable<TItem> items,
        Func<long, TItem, CancellationToken, Task<CallOutcome<TResult>>> call,
        bool ordered,
        int window,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var room = new SemaphoreSlim(window);
        var outcomes = Channel.CreateUnbounded<Task<CallOutcome<TResult>>>();
        var reading = Task.Run(ReadAsync, CancellationToken.None);
        try
        {
            await foreach (var outcome in outcomes.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                var settled = await outcome.ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                room.Release();
                yield return settled;
            }

            // What went wrong in reading comes after the outcomes of what was read.
            await reading.ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task ReadAsync()
        {
            var pending = new List<Task>();
            try
            {
                var index = 0L;
                await foreach (var item in items.WithCancellation(stop.Token).ConfigureAwait(false))
                {
                    await room.WaitAsync(stop.Token).ConfigureAwait(false);
                    var outcome = call(index++, item, stop.Token);
                    pending.RemoveAll(task => task.IsCompleted);
                    pending.Add(ordered ? outcome : PublishAsync(outcome));
                    if (ordered)
                    {
                        outcomes.Writer.TryWrite(outcome);
                    }
                }
            }
            finally
            {
                await Task.WhenAll(pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                outcomes.Writer.TryComplete();
            }
        }

        async Task PublishAsync(Task<CallOutcome<TResult>> outcome)
        {
            await outcome.ConfigureAwait(false);
            outcomes.Writer.TryWrite(outcome);
        }
    }
}
