using ProcessPool.Calls;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Scheduling;

namespace ProcessPool.Workers;

/// <summary>Where one sandbox's calls to its host arrive: so many at a time, so many a second, and only for the call that it executes.</summary>
internal sealed class CallbackTarget(PoolSettings settings)
{
    private readonly RatePacer _pace = new(settings.MaxCallbacksPerSecond, settings.Time);
    private volatile Func<long, Callbacks?>? _current;
    private Func<long, Callbacks?>? _shared;

    public RequestGate Gate { get; } = new(WireLimits.MaxRequestsAtOnce, (nameof(IHostCalls.CallbackAsync), RequestGate.Always));

    /// <summary>No call executes any more.</summary>
    public void End() => _current = null;

    /// <summary>From now on this call executes.</summary>
    public void Begin(long callId, Callbacks? callbacks)
    {
        if (callbacks is { IsShared: true })
        {
            // The same for every call: asking gets a sandbox nothing, whichever it names.
            _current = _shared ??= Always(callbacks);
        }
        else
        {
            _current = callbacks is null ? null : Only(callId, callbacks);
        }
    }

    private static Func<long, Callbacks?> Always(Callbacks callbacks) => _ => callbacks;

    private static Func<long, Callbacks?> Only(long callId, Callbacks callbacks) => id => id == callId ? callbacks : null;

    /// <summary>From now on these calls execute, one after the other.</summary>
    public void Begin(Chunk calls) => _current = id => calls.IndexOf(id) is >= 0 and var index ? calls.CallbacksOf(index) : null;

    public async Task<CallReply> CallbackAsync(object? argument, CancellationToken cancellationToken)
    {
        if (argument is not CallbackRequest request)
        {
            return Callbacks.Refused("A callback has an envelope.");
        }

        await _pace.WaitAsync(cancellationToken).ConfigureAwait(false);
        return _current?.Invoke(request.CallId) is { } callbacks
            ? await callbacks.AnswerAsync(request, cancellationToken).ConfigureAwait(false)
            : Callbacks.Refused("The call is over, or may ask for nothing.");
    }
}
