using System.Text;
using System.Text.Json.Serialization.Metadata;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Supervision;
using ProcessPool.Telemetry;

namespace ProcessPool.Calls;

/// <summary>A bundle on its way, and the outcomes of its items.</summary>
internal sealed class BundleOutcomes<T> : OutcomeSource<T>
{
    private readonly SandboxPool _pool;
    private readonly PoolSettings _settings;
    private readonly PluginVersion _version;
    private readonly Bundle _bundle;
    private readonly long _firstIndex;
    private readonly CallOptions _options;
    private readonly CancellationToken _cancellationToken;
    private readonly Invocation _carrier;
    private readonly Task<CallOutcome<T>>?[] _calls;
    private readonly bool[] _taken;
    private JsonTypeInfo<T>? _type;
    private Task _queued = Task.CompletedTask;
    private Exception? _failure;
    private int _left;
    private int _next;

    public BundleOutcomes(
        SandboxPool pool, PoolSettings settings, PluginVersion version, Bundle bundle, long firstIndex, CallOptions? options, CancellationToken cancellationToken)
    {
        (_pool, _settings, _version, _bundle, _firstIndex) = (pool, settings, version, bundle, firstIndex);
        _options = options ?? CallOptions.Default;
        _cancellationToken = cancellationToken;
        _left = bundle.Count;
        _calls = new Task<CallOutcome<T>>?[_left];
        _taken = new bool[_left];
        _carrier = new Invocation(new CallRequest(bundle.IdOf(0), bundle.EntryPoint, default, []), default, _options, callbacks: null, cancellationToken) { Bundle = bundle };
        bundle.Close(MakeCall, Progress, cancellationToken);
    }

    /// <summary>The index of its first call.</summary>
    public long FirstIndex => _firstIndex;

    public override Task Queued => _queued;

    public override int TakesBeforeLeaving => 64;

    public override bool IsTaken => _left == 0;

    public override bool TryTake(bool inOrder, out CallOutcome<T> outcome)
    {
        for (var i = _next; i < _taken.Length; i++)
        {
            if (!_taken[i] && TryGet(i, out outcome))
            {
                _taken[i] = true;
                _left--;
                while (_next < _taken.Length && _taken[_next])
                {
                    _next++;
                }

                return true;
            }

            if (inOrder)
            {
                break;
            }
        }

        outcome = default;
        return false;
    }

    public override async Task RunAsync()
    {
        var queue = _version.Supervisor.Queue;
        using (SandboxPool.WithdrawWhenCancelled(queue, _carrier))
        {
            try
            {
                _queued = SandboxPool.Submit(queue, _carrier);
                await _carrier.Settled.ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                // It never came to a worker. If it was refused, so was each item by itself, and counted; if its caller has left, no item was.
                _failure = exception;
                if (exception is OperationCanceledException)
                {
                    _pool.Counts.FailedTogether(_carrier, exception, _bundle.Count);
                }
            }
        }

        foreach (var call in _calls)
        {
            await (call ?? Task.CompletedTask).ConfigureAwait(false);
        }

        Progress();
    }

    private bool TryGet(int index, out CallOutcome<T> outcome)
    {
        if (_bundle.TryTakeResult(index, out var json))
        {
            outcome = Read(index, json);
            return true;
        }

        if (Volatile.Read(ref _calls[index]) is { } call)
        {
            // Looked at once: it may complete between two looks.
            var isThere = call.IsCompleted;
            outcome = isThere ? call.Result : default;
            return isThere;
        }

        outcome = new CallOutcome<T>(_firstIndex + index, default!, _failure);
        return _failure is not null;
    }

    private CallOutcome<T> Read(int index, ReadOnlyMemory<byte> json)
    {
        try
        {
            return new CallOutcome<T>(_firstIndex + index, ResultReader.ReadPlain(json, _type ??= (JsonTypeInfo<T>)_settings.Json.Of(typeof(T))), null);
        }
        catch (Exception exception)
        {
            return new CallOutcome<T>(_firstIndex + index, default!, Unreadable(index, exception));
        }
    }

    // What a user's converter throws may throw itself when it is asked what it says.
    private Exception Unreadable(int index, Exception exception)
    {
        try
        {
            return ResultReader.Unreadable<T>(
                exception, _version.Supervisor.SiteOf(_bundle.Incarnation!) with { CallId = _bundle.IdOf(index), EntryPoint = _bundle.EntryPoint, Execution = Execution.Started });
        }
        catch (Exception worse)
        {
            return worse;
        }
    }

    /// <summary>An item becomes a call of its own, for the worker that has it already.</summary>
    private Invocation MakeCall(int index)
    {
        var plugin = _version.Plugin.TryFind(_bundle.EntryPoint)!;
        var traits = new CallTraits(plugin.AcceptsCancellation, Streams: false, plugin.IsIdempotent ? _options.Retries ?? _settings.Retries : 0);
        var request = new CallRequest(_bundle.IdOf(index), _bundle.EntryPoint, _bundle.PayloadOf(index), []) { Trace = _bundle.Trace };
        var call = new Invocation(request, traits, _options, _bundle.CallbacksOf(index), _cancellationToken) { QueuedAt = _carrier.QueuedAt, TakenAt = _carrier.TakenAt, Counts = _pool.Counts };
        call.Assign();
        var outcome = FollowAsync(index, call);
        Volatile.Write(ref _calls[index], outcome);
        _ = TellAfterAsync(outcome);
        return call;
    }

    private async Task<CallOutcome<T>> FollowAsync(int index, Invocation call)
    {
        using var registration = SandboxPool.WithdrawWhenCancelled(_version.Supervisor.Queue, call);
        try
        {
            var settled = await call.Settled.ConfigureAwait(false);
            if (_bundle.Trace?.Activity is { } span)
            {
                SpanReplay.Run(span, settled.Reply.Spans, settled.Site, _settings.PluginSources);
            }

            return new CallOutcome<T>(_firstIndex + index, ResultReader.Read<T>(settled, _settings.Json), null);
        }
        catch (Exception exception)
        {
            return _version.CameTooLate(exception) ? await AgainAsync(index).ConfigureAwait(false) : new CallOutcome<T>(_firstIndex + index, default!, exception);
        }
    }

    // Whoever is told finds it completed.
    private async Task TellAfterAsync(Task call)
    {
        await call.ConfigureAwait(false);
        Progress();
    }

    // Another version has just become current: the call is made there.
    private Task<CallOutcome<T>> AgainAsync(int index) => _pool.OutcomeAsync<T>(
        _firstIndex + index, _bundle.EntryPoint, CallArguments.FromJson(Encoding.UTF8.GetString(_bundle.PayloadOf(index).Span)), _options, null, _cancellationToken);
}
