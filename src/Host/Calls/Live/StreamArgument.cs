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
        private readonly ChunkedStream<T> _chunks;
        private Task<bool>? _next;
        private int _isEnding;

        public Reading(IAsyncEnumerable<T> items, PayloadJson json) => _chunks = new ChunkedStream<T>(items, json, _ended.Token);

        public override async Task<CallReply> AnswerAsync(string operation, CallbackRequest request, CancellationToken cancellationToken)
        {
            if (operation != LiveReference.Next)
            {
                await EndAsync().ConfigureAwait(false);
                return Empty;
            }

            // One after the other, whatever the sandbox does. Who gives up leaves the items to the next who asks.
            using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token, cancellationToken);
            await _turn.WaitAsync(giveUp.Token).ConfigureAwait(false);
            try
            {
                _next ??= _chunks.MoveNextAsync().AsTask();
                var hasChunk = await _next.WaitAsync(giveUp.Token).ConfigureAwait(false);
                _next = null;
                return hasChunk ? Callbacks.ToMessage(_chunks.Current) : Empty;
            }
            finally
            {
                _turn.Release();
            }
        }

        /// <summary>Ends the reading at once, and the caller's own iterator when it has finished its item: nobody waits for that.</summary>
        public override Task EndAsync()
        {
            if (Interlocked.Exchange(ref _isEnding, 1) == 0)
            {
                _ended.CancelAsync().Forget();
                DisposeAsync().Forget();
            }

            return Task.CompletedTask;
        }

        private static CallReply Empty => new(CallStatus.Succeeded, "[]"u8.ToArray(), [], null);

        private async Task DisposeAsync()
        {
            await _turn.WaitAsync().ConfigureAwait(false);
            if (_next is { } next)
            {
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await _chunks.DisposeAsync().ConfigureAwait(false);
        }
    }
}
