using System.Diagnostics.CodeAnalysis;
using ProcessPool.Binding.Payload;
using ProcessPool.Binding.Streams;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;

namespace ProcessPool.Calls;

/// <summary>A stream of items that a plugin reads chunk by chunk.</summary>
internal sealed class StreamArgument<T>(IAsyncEnumerable<T> items) : LiveArgument
{
    public override string Reference => LiveReference.Stream;

    public override LiveCall Begin(PoolSettings settings) => new Reading(items, settings.Json);

    [SuppressMessage("Design", "CA1001", Justification = "The end of the call ends it.")]
    private sealed class Reading : LiveCall
    {
        private readonly SemaphoreSlim _turn = new(1, 1);
        private readonly CancellationTokenSource _ended = new();
        private readonly IAsyncEnumerable<T> _items;
        private readonly PayloadJson _json;
        private ChunkedStream<T>? _chunks;

        public Reading(IAsyncEnumerable<T> items, PayloadJson json)
        {
            _items = items;
            _json = json;
        }

        public override async Task<CallReply> AnswerAsync(string operation, CallbackRequest request)
        {
            // One after the other, whatever the sandbox does.
            await _turn.WaitAsync(_ended.Token).ConfigureAwait(false);
            try
            {
                if (operation == LiveReference.End)
                {
                    await DisposeAsync().ConfigureAwait(false);
                    return Empty;
                }

                _chunks ??= new ChunkedStream<T>(_items, _json, _ended.Token);
                return operation == LiveReference.Next && await _chunks.MoveNextAsync().AsTask().WaitAsync(_ended.Token).ConfigureAwait(false)
                    ? Callbacks.ToMessage(_chunks.Current)
                    : Empty;
            }
            finally
            {
                _turn.Release();
            }
        }

        public override Task EndAsync()
        {
            // The caller's own iterator may take its time to end: nobody waits for it.
            _ended.CancelAsync().Forget();
            EndAsync(_turn).Forget();
            return Task.CompletedTask;

            async Task EndAsync(SemaphoreSlim turn)
            {
                await turn.WaitAsync().ConfigureAwait(false);
                await DisposeAsync().ConfigureAwait(false);
                turn.Dispose();
            }
        }

        private static CallReply Empty => new(CallStatus.Succeeded, "[]"u8.ToArray(), [], null);

        private ValueTask DisposeAsync()
        {
            var chunks = _chunks;
            _chunks = new ChunkedStream<T>(AsyncEnumerable.Empty<T>(), _json, CancellationToken.None);
            return chunks?.DisposeAsync() ?? default;
        }
    }
}
