using System.Buffers;
using ProcessPool.Binding.Payload;

namespace ProcessPool.Binding.Streams;

using Reply = (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error);

/// <summary>
/// A stream of items as chunks, each a JSON array: all items that are there without waiting, up to a size. Status <see cref="More"/> until the last one.
/// Nothing is read ahead of what is asked for, but for one item that took its time.
/// </summary>
internal sealed class ChunkedStream<T>(IAsyncEnumerable<T> items, PayloadJson json, CancellationToken cancellationToken) : IAsyncEnumerator<Reply>
{
    /// <summary><c>CallStatus.Streaming</c> of Protocol.</summary>
    public const int More = 4;

    private const int Last = 0;
    private const int MaxItems = 1024;
    private const int MaxBytes = 64 * 1024;
    private const long MaxMilliseconds = 5;

    private readonly IAsyncEnumerator<T> _items = items.GetAsyncEnumerator(cancellationToken);
    private Task<bool>? _waiting;
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

        await _items.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<Reply> NextAsync()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var attachments = new List<ReadOnlyMemory<byte>>();
        var attached = 0L;
        var count = 0;
        var since = Environment.TickCount64;
        buffer.Write("["u8);
        while (count < MaxItems && buffer.WrittenCount + attached < MaxBytes && (count == 0 || Environment.TickCount64 - since < MaxMilliseconds))
        {
            try
            {
                _waiting ??= _items.MoveNextAsync().AsTask();
                if (count > 0 && !_waiting.IsCompleted)
                {
                    break;
                }

                var hasItem = await _waiting.ConfigureAwait(false);
                _waiting = null;
                if (!hasItem)
                {
                    return Chunk(Last);
                }
            }
            catch (Exception exception)
            {
                _waiting = null;
                return Failed(1, exception);
            }

            var (bytes, attachmentsBefore) = (buffer.WrittenCount, attachments.Count);
            try
            {
                if (count > 0)
                {
                    buffer.Write(","u8);
                }

                json.Write(buffer, _items.Current, typeof(T), attachments);
            }
            catch (Exception exception)
            {
                // The items before it are delivered.
                var written = buffer.WrittenSpan[..bytes].ToArray();
                buffer = new ArrayBufferWriter<byte>();
                buffer.Write(written);
                attachments.RemoveRange(attachmentsBefore, attachments.Count - attachmentsBefore);
                return Failed(3, exception);
            }

            for (var i = attachmentsBefore; i < attachments.Count; i++)
            {
                attached += attachments[i].Length;
            }

            count++;
        }

        return Chunk(More);

        Reply Failed(int status, Exception exception)
        {
            if (count == 0)
            {
                return (status, default, [], exception);
            }

            _failure = (status, exception);
            return Chunk(More);
        }

        Reply Chunk(int status)
        {
            buffer.Write("]"u8);
            return (status, buffer.WrittenMemory, [.. attachments], null);
        }
    }
}
