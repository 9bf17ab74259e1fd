using System.Threading.Channels;
using ProcessPool.Binding.Streams;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;

namespace ProcessPool.Calls;

/// <summary>
/// A progress handler. Reports are handed to it one after the other, on the thread pool; of those that wait for it, the latest 64 are kept. So neither a slow
/// handler nor a flood holds anything up.
/// </summary>
internal sealed class ProgressArgument<T>(IProgress<T> handler) : LiveArgument
{
    private const int Kept = 64;

    public override string Reference => LiveReference.Progress;

    public override LiveCall Begin(PoolSettings settings) => new Reporting(handler, settings);

    private sealed class Reporting : LiveCall
    {
        private readonly Channel<T> _reports = Channel.CreateBounded<T>(new BoundedChannelOptions(Kept) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        private readonly PoolSettings _settings;
        private readonly Task _handling;

        public Reporting(IProgress<T> handler, PoolSettings settings)
        {
            _settings = settings;
            _handling = Task.Run(() => HandleAsync(handler));
        }

        public override Task<CallReply> AnswerAsync(string operation, CallbackRequest request, CancellationToken cancellationToken)
        {
            var report = (T)_settings.Json.Read(request.Payload, request.Attachments, typeof(T))!;
            _reports.Writer.TryWrite(report);
            return Task.FromResult(new CallReply(CallStatus.Succeeded, "null"u8.ToArray(), [], null));
        }

        /// <summary>Ends when the handler has had every report, or after the grace of a call that does not end.</summary>
        public override async Task EndAsync()
        {
            _reports.Writer.TryComplete();
            await _handling.WaitAsync(_settings.CancelGrace, _settings.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private async Task HandleAsync(IProgress<T> handler)
        {
            await foreach (var report in _reports.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                try
                {
                    handler.Report(report);
                }
                catch (Exception exception)
                {
                    _settings.Logger.ProgressThrew(exception);
                }
            }
        }
    }
}
