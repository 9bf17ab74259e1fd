namespace ProcessPool.Calls;

/// <summary>The reading half of a map: reads the input when there is room for its outcomes, and makes calls of the items, together where they can be.</summary>
/// <param name="window">How many items may be under way while calls do not go together.</param>
/// <param name="call">Makes one call; never fails.</param>
/// <param name="bundler">Makes calls together; null: none can.</param>
/// <param name="writer">Writes items for it.</param>
/// <param name="room">How many items are under way.</param>
/// <param name="sources">What is under way.</param>
/// <param name="time">The clock for an item's waiting.</param>
/// <param name="stopped">Cancelled when nobody wants the rest.</param>
internal sealed class MapReader<TItem, TResult>(
    int window, Func<long, CallArguments, CancellationToken, Task<CallOutcome<TResult>>> call, Bundler<TResult>? bundler, ItemWriter<TItem> writer, MapRoom room,
    OutcomeSources<TResult> sources, TimeProvider time, CancellationToken stopped)
{
    // What was read does not wait for an input that takes its time, on whatever thread it does.
    private readonly BundleClock _clock = new(time);
    private readonly Lock _gate = new();

    /// <summary>Reads the input to its end.</summary>
    public async Task ReadAsync(IAsyncEnumerable<TItem> items)
    {
        try
        {
            using var ticking = _clock.Start(CloseFromTimer);
            var source = items.GetAsyncEnumerator(stopped);
            await using var end = source.ConfigureAwait(false);
            var places = 0;
            for (var index = 0L; ; index++)
            {
                places = places > 0 ? places : await EnterAsync().ConfigureAwait(false);
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

                if (!TryAdd(index, source.Current, out var single))
                {
                    await CloseAsync().ConfigureAwait(false);
                    _ = sources.Start(sources.Admit(() => new SingleOutcome<TResult>(call(index, single, stopped))));
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
                sources.ReaderLeaves();
            }
        }
    }

    // For a whole bundle: one of a single item would cost as much.
    private async ValueTask<int> EnterAsync()
    {
        var places = bundler?.Size ?? 1;
        var limit = places > 1 ? bundler!.ReadAhead(places) : window;
        if (!room.TryEnter(places, limit))
        {
            await CloseAsync().ConfigureAwait(false);
            await room.EnterAsync(places, limit, stopped).ConfigureAwait(false);
        }

        return places;
    }

    private bool TryAdd(long index, TItem item, out CallArguments single)
    {
        // Writing it runs a user's code: not under the lock.
        CallArguments? alone = null;
        if (bundler is null || !(bundler.IsOpen || bundler.Size > 1) || !writer.TryWrite(item, out alone))
        {
            single = alone ?? CallArguments.From(item);
            return false;
        }

        lock (_gate)
        {
            var wasOpen = bundler.IsOpen;
            var isAdded = bundler.TryAdd(index, writer.Payload.Span);
            if (isAdded && !wasOpen)
            {
                _clock.Opened_NeedsLock();
            }

            single = isAdded ? CallArguments.None : CallArguments.Written(new CallPayload(writer.Payload.ToArray(), [], []));
            return isAdded;
        }
    }

    // In the order of the input, whoever closes them; queued without the lock, because that runs a slot's loop.
    private Task CloseAsync()
    {
        OutcomeSource<TResult>? bundle;
        lock (_gate)
        {
            bundle = bundler?.IsOpen == true ? sources.Admit(() => bundler.Close(stopped)) : null;
        }

        return sources.Start(bundle);
    }

    private void CloseFromTimer()
    {
        bool isDue;
        lock (_gate)
        {
            isDue = _clock.IsDue_NeedsLock(bundler!.IsOpen);
        }

        if (isDue)
        {
            _ = CloseAsync();
        }
    }
}
