using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using ProcessPool.Calls;
using ProcessPool.Diagnostics;

namespace ProcessPool;

/// <summary>
/// Maps a sequence of any length over the pool in bounded memory: an item is read only when there is room for its outcome.
/// </summary>
/// <param name="window">How many items may be under way or waiting to be consumed; while calls are so short that they go together, as many as keep the workers busy for some milliseconds.</param>
/// <param name="patience">How long an abandoned input may take to end; then it is left behind.</param>
/// <param name="time">The clock for that.</param>
internal sealed class MapPump(int window, TimeSpan patience, TimeProvider time)
{
    /// <summary>How long an item may wait for others to go with.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(2);

    /// <summary>Yields one outcome for each item read.</summary>
    /// <param name="items">The input; read one after the other, never ahead of the window.</param>
    /// <param name="call">Makes one call; never fails.</param>
    /// <param name="ordered">In input order, or as completed.</param>
    /// <param name="bundler">Makes calls together, where they can be; null: none can.</param>
    /// <param name="cancellationToken">Ends the reading and cancels the calls under way.</param>
    public async IAsyncEnumerable<CallOutcome<TResult>> RunAsync<TItem, TResult>(
        IAsyncEnumerable<TItem> items,
        Func<long, TItem, CancellationToken, Task<CallOutcome<TResult>>> call,
        bool ordered,
        MapBundler<TItem, TResult>? bundler = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var stopped = stop.Token;
        var room = new MapRoom();
        var signals = Channel.CreateUnbounded<MapPart<TResult>>(new UnboundedChannelOptions { SingleReader = true });
        var inOrder = Channel.CreateUnbounded<MapPart<TResult>>(new UnboundedChannelOptions { SingleReader = true });

        // The reader and every part under way. The last to leave completes the channel.
        var present = 1;
        var readerLeft = 0;

        // What was read does not wait for an input that takes its time, on whatever thread it does.
        var bundling = new Lock();
        var (opened, looksFor) = (0L, 0L);
        ITimer look = null!;
        Exception? fault = null;
        look = time.CreateTimer(_ => LookAfter(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var reading = Task.Run(ReadAsync, CancellationToken.None);
        try
        {
            MapPart<TResult>? part = null;
            while (true)
            {
                part ??= Next();
                var taken = 0;
                while (part?.TryTake(ordered, out var outcome) == true)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (++taken == part.TakesBeforeLeaving)
                    {
                        room.Leave(taken);
                        taken = 0;
                    }

                    yield return outcome;
                }

                room.Leave(taken);

                if (part is null || ordered && !part.IsTaken)
                {
                    if (!await signals.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
                    {
                        break;
                    }

                    if (ordered)
                    {
                        while (signals.Reader.TryRead(out var signalled))
                        {
                            signalled.Looked();
                        }
                    }
                }
                else
                {
                    part = null;
                }
            }

            // What went wrong in reading comes after the outcomes of what was read.
            cancellationToken.ThrowIfCancellationRequested();
            await reading.ConfigureAwait(false);
            if (fault is not null)
            {
                ExceptionDispatchInfo.Throw(fault);
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            // Not waiting for it: it may wait for what the input holds.
            look.Dispose();
            ReaderLeaves();
            await foreach (var _ in signals.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                // Until all have left.
            }

            reading.Forget();
            await reading.WaitAsync(patience, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // In order, the next one; otherwise one that has told of outcomes.
        MapPart<TResult>? Next()
        {
            if (ordered)
            {
                return inOrder.Reader.TryRead(out var first) ? first : null;
            }

            if (signals.Reader.TryRead(out var signalled))
            {
                signalled.Looked();
                return signalled;
            }

            return null;
        }

        async Task ReadAsync()
        {
            try
            {
                var source = items.GetAsyncEnumerator(stopped);
                await using var end = source.ConfigureAwait(false);
                var places = 0;
                for (var index = 0L; ; index++)
                {
                    if (places == 0)
                    {
                        // For a whole bundle: one of a single item would cost as much.
                        places = bundler?.Size ?? 1;
                        var limit = places > 1 ? bundler!.ReadAhead(places) : window;
                        if (!room.TryEnter(places, limit))
                        {
                            await CloseAsync().ConfigureAwait(false);
                            await room.EnterAsync(places, limit, stopped).ConfigureAwait(false);
                        }
                    }

                    places--;

                    var moved = source.MoveNextAsync();
                    if (!moved.IsCompleted)
                    {
                        await CloseAsync().ConfigureAwait(false);
                    }

                    if (!await moved.ConfigureAwait(false) || stopped.IsCancellationRequested)
                    {
                        return;
                    }

                    if (!TryAdd(index, source.Current))
                    {
                        await CloseAsync().ConfigureAwait(false);
                        _ = Start(Admit(() => new MapCall<TResult>(call(index, source.Current, stopped))));
                    }
                    else if (bundler!.IsFull)
                    {
                        await CloseAsync().ConfigureAwait(false);
                    }
                }
            }
            finally
            {
                try
                {
                    await CloseAsync().ConfigureAwait(false);
                }
                finally
                {
                    ReaderLeaves();
                }
            }
        }

        bool TryAdd(long index, TItem item)
        {
            // Writing it runs a user's code: not under the lock.
            if (bundler?.TryWrite(item) != true)
            {
                return false;
            }

            lock (bundling)
            {
                var wasOpen = bundler.IsOpen;
                var isAdded = bundler.TryAdd(index);
                if (isAdded && !wasOpen)
                {
                    opened++;
                    LookLater_NeedsLock();
                }

                return isAdded;
            }
        }

        // In the order of the input, whoever closes them; queued without the lock, because that runs a slot's loop.
        Task CloseAsync()
        {
            MapPart<TResult>? bundle;
            lock (bundling)
            {
                bundle = bundler?.IsOpen == true ? Admit(() => bundler.Close(stopped)) : null;
            }

            return Start(bundle);
        }

        void LookLater_NeedsLock()
        {
            if (looksFor == 0)
            {
                looksFor = opened;
                look.Change(MaxWait, Timeout.InfiniteTimeSpan);
            }
        }

        void LookAfter()
        {
            try
            {
                bool isSame;
                lock (bundling)
                {
                    isSame = looksFor == opened;
                    looksFor = 0;
                    if (!isSame && bundler!.IsOpen)
                    {
                        LookLater_NeedsLock();
                    }
                }

                if (isSame)
                {
                    _ = CloseAsync();
                }
            }
            catch (Exception exception)
            {
                // On a timer's thread it would end the program.
                fault = exception;
                _ = stop.CancelAsync();
            }
        }

        MapPart<TResult>? Admit(Func<MapPart<TResult>> make)
        {
            // Counted first: whoever ends the map waits for it, or has ended it before; then nobody wants it.
            Interlocked.Increment(ref present);
            if (stopped.IsCancellationRequested)
            {
                Leave();
                return null;
            }

            try
            {
                var part = make();
                part.TellOf(signalled => signals.Writer.TryWrite(signalled));
                if (ordered)
                {
                    inOrder.Writer.TryWrite(part);
                }

                return part;
            }
            catch
            {
                Leave();
                throw;
            }
        }

        Task Start(MapPart<TResult>? part)
        {
            if (part is null)
            {
                return Task.CompletedTask;
            }

            _ = LeaveAfterAsync(part);
            return part.Queued;
        }

        async Task LeaveAfterAsync(MapPart<TResult> part)
        {
            try
            {
                await part.RunAsync().ConfigureAwait(false);
            }
            finally
            {
                Leave();
            }
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
                signals.Writer.TryComplete();
            }
        }
    }
}
