using System.Diagnostics;
using System.Runtime.CompilerServices;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Telemetry;

namespace ProcessPool.Calls;

/// <summary>
/// Maps a sequence of any length over the pool in bounded memory: an item is read only when there is room for its outcome.
/// </summary>
/// <param name="window">How many items may be under way or waiting to be consumed; while calls are so short that they go together, as many as keep the workers busy for some milliseconds.</param>
/// <param name="patience">How long an abandoned input may take to end; then it is left behind.</param>
/// <param name="time">The clock for that.</param>
internal sealed class MapPump(int window, TimeSpan patience, TimeProvider time)
{
    /// <summary>Yields one outcome for each item read.</summary>
    /// <param name="items">The input; read one after the other, never ahead of the window.</param>
    /// <param name="call">Makes one call; never fails.</param>
    /// <param name="ordered">In input order, or as completed.</param>
    /// <param name="bundler">Makes calls together; null: none can.</param>
    /// <param name="writer">Writes items for it.</param>
    /// <param name="begin">Begins the map's span, if there is one.</param>
    /// <param name="cancellationToken">Ends the reading and cancels the calls under way.</param>
    public async IAsyncEnumerable<CallOutcome<TResult>> RunAsync<TItem, TResult>(
        IAsyncEnumerable<TItem> items,
        Func<long, CallArguments, CancellationToken, Task<CallOutcome<TResult>>> call,
        bool ordered,
        Bundler<TResult>? bundler,
        ItemWriter<TItem> writer,
        Func<Activity?>? begin = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var span = begin?.Invoke();
        using var ending = new SpanScope(span);
        bundler?.Trace = TraceParent.Of(span);
        var room = new MapRoom();
        var sources = new OutcomeSources<TResult>(ordered, stop.Token);
        var reader = new MapReader<TItem, TResult>(window, call, bundler, writer, room, sources, time, stop.Token);
        var reading = Task.Run(() => reader.ReadAsync(items), CancellationToken.None);
        try
        {
            OutcomeSource<TResult>? source = null;
            while (true)
            {
                source ??= sources.Next();
                var taken = 0;
                while (source?.TryTake(ordered, out var outcome) == true)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (++taken == source.TakesBeforeLeaving)
                    {
                        room.Leave(taken);
                        taken = 0;
                    }

                    yield return outcome;
                }

                room.Leave(taken);
                if (source is not null && (!ordered || source.IsTaken))
                {
                    source = null;
                }
                else if (!await sources.WaitAsync(cancellationToken).ConfigureAwait(false))
                {
                    break;
                }
            }

            // What went wrong in reading comes after the outcomes of what was read.
            cancellationToken.ThrowIfCancellationRequested();
            await reading.ConfigureAwait(false);
        }
        finally
        {
            // Not waiting for the reading: it may wait for what the input holds.
            await stop.CancelAsync().ConfigureAwait(false);
            sources.ReaderLeaves();
            await sources.LeftAsync().ConfigureAwait(false);
            reading.Forget();
            await reading.WaitAsync(patience, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
