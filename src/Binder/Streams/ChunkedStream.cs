using ProcessPool.Binding.Payload;

namespace ProcessPool.Binding.Streams;

using Reply = (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error);

/// <summary>
/// A stream of items as chunks, each a JSON array: all items that are there without waiting, up to a size. Status <see cref="More"/> until the last one.
/// Nothing is read ahead of what is asked for, but for one item that took its time.
/// </summary>
/// <param name="items">The items; enumerated when the first chunk is asked for.</param>
/// <param name="json">How they are written.</param>
/// <param name="cancellationToken">Handed to the enumerator.</param>
/// <param name="beforeEnd">Done before the last chunk is handed out.</param>
internal sealed class ChunkedStream<T>(IAsyncEnumerable<T> items, PayloadJson json, CancellationToken cancellationToken, Func<Task>? beforeEnd = null) : IAsyncEnumerator<Reply>
{
    /// <summary><c>CallStatus.Streaming</c> of Protocol.</summary>
    public const int More = 4;

    private const int Last = 0;
    private const int MaxItems = 1024;
    private const int MaxBytes = 64 * 1024;
    private const long MaxMilliseconds = 5;

    private IAsyncEnumerator<T>? _items;
    private Task<bool>? _waiting;
    private bool _isHeldBack;
    private (int Status, Exception Error)? _failure;
    private bool _over;

    public Reply Current { get; private set; }

    public async ValueTask<bool> MoveNextAsync()
    {
        if (_over)
        {
            return false;
        }

        Current = _failure is { } failure ? (failure.Status, default, [], failure.Error) : await NextAsync().ConfigureAwait(false);
        _over = Current.Status != More;
        if (_over && beforeEnd is not null)
        {
            await beforeEnd().ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Ends the stream, also in the middle.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_waiting is { } waiting)
        {
            // An iterator must not be disposed while it runs.
            await ((Task)waiting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (_items is not null)
        {
            await _items.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<Reply> NextAsync()
    {
        var chunk = new Chunk();
        var since = Environment.TickCount64;
        while (chunk.Count < MaxItems && (chunk.Count == 0 || Environment.TickCount64 - since < MaxMilliseconds))
        {
            try
            {
                _items ??= items.GetAsyncEnumerator(cancellationToken);
                if (!_isHeldBack && !await MoveNextItemAsync(mayWait: chunk.Count == 0).ConfigureAwait(false))
                {
                    return chunk.ToReply(_waiting is null ? Last : More);
                }
            }
            catch (Exception exception)
            {
                return Failed(chunk, 1, exception);
            }

            try
            {
                // One that makes the chunk too large begins the next one, so that only what is too large by itself can be refused.
                _isHeldBack = !chunk.TryAdd(_items.Current, json, MaxBytes);
                if (_isHeldBack)
                {
                    return chunk.ToReply(More);
                }
            }
            catch (Exception exception)
            {
                return Failed(chunk, 3, exception);
            }
        }

        return chunk.ToReply(More);
    }

    // False when there are no more items, or when one has to be waited for and that may not be.
    private async ValueTask<bool> MoveNextItemAsync(bool mayWait)
    {
        _waiting ??= _items!.MoveNextAsync().AsTask();
        if (!mayWait && !_waiting.IsCompleted)
        {
            return false;
        }

        try
        {
            return await _waiting.ConfigureAwait(false);
        }
        finally
        {
            _waiting = null;
        }
    }

    // The items before it are delivered.
    private Reply Failed(Chunk chunk, int status, Exception exception)
    {
        if (chunk.Count == 0)
        {
            return (status, default, [], exception);
        }

        _failure = (status, exception);
        return chunk.ToReply(More);
    }
}
