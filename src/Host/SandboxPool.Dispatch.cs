using System.Diagnostics;
using System.Runtime.CompilerServices;
using ProcessPool.Calls;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Supervision;
using ProcessPool.Telemetry;

namespace ProcessPool;

/// <content>The one way into the pool.</content>
public sealed partial class SandboxPool
{
    private readonly CallerSpin _spin = new();
    private Callbacks? _noCallbacks;
    private long _lastCallId;

    /// <summary>The plugin's version that is current; null when the pool is not running.</summary>
    internal PluginVersion? Version => _version;

    /// <summary>Numbers for so many calls.</summary>
    /// <returns>The first one.</returns>
    internal long TakeCallIds(int count) => Interlocked.Add(ref _lastCallId, count) - count + 1;

    /// <summary>Makes a call. A stream is collected into an array.</summary>
    /// <param name="entryPoint">The entry point's name.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="options">What is different for this call.</param>
    /// <param name="lease">Whose worker is to serve it; null: any.</param>
    /// <param name="queued">Set when the call has its place in the queue, for callers that block until then.</param>
    /// <param name="cancellationToken">The caller's token.</param>
    /// <param name="measure">Whether to ask the sandbox what the call used.</param>
    internal Task<SettledCall> CallAsync(
        string entryPoint, CallArguments? arguments, CallOptions? options, Lease? lease, TaskCompletionSource? queued, CancellationToken cancellationToken, bool measure = false) =>
        CallTrace.IsListenedTo
            ? TracedAsync(entryPoint, arguments, options, lease, queued, measure, cancellationToken)
            : CallAsync(entryPoint, arguments, options, lease, queued, measure, span: null, cancellationToken);

    private async Task<SettledCall> TracedAsync(
        string entryPoint, CallArguments? arguments, CallOptions? options, Lease? lease, TaskCompletionSource? queued, bool measure, CancellationToken cancellationToken)
    {
        var span = CallTrace.Begin(Name, entryPoint);
        using var ending = new SpanScope(span);
        try
        {
            var settled = await CallAsync(entryPoint, arguments, options, lease, queued, measure, span, cancellationToken).ConfigureAwait(false);
            CallTrace.Answered(span, settled, _settings.PluginSources);
            return settled;
        }
        catch (Exception exception) when (CallTrace.Failed(span, exception))
        {
            throw;
        }
    }

    private async Task<SettledCall> CallAsync(
        string entryPoint, CallArguments? arguments, CallOptions? options, Lease? lease, TaskCompletionSource? queued, bool measure, Activity? span, CancellationToken cancellationToken)
    {
        CallPayload? payload = null;
        while (true)
        {
            var version = lease?.Version ?? _version;

            // Whoever cannot take the items of a stream leaves it.
            using var left = version?.Plugin.Streams(entryPoint) == true ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken) : null;
            var (queue, call) = Prepare(version, entryPoint, arguments, ref payload, options, lease, measure, span, left?.Token ?? cancellationToken);
            using var registration = WithdrawWhenCancelled(queue, call);
            _spin.Enter(call);
            try
            {
                var room = Submit(queue, call);
                _spin.Wait(call);
                if (queued is not null)
                {
                    await room.ConfigureAwait(false);
                    if (!version!.CameTooLate(call))
                    {
                        queued.TrySetResult();
                    }
                }

                return call.Stream is { } stream ? await CollectAsync(call, stream).ConfigureAwait(false) : await call.Settled.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException(cancellationToken);
            }
            catch (CallRejectedException rejected) when (lease is null && version?.CameTooLate(rejected) == true)
            {
                // Another version has just become current: the call is made there.
            }
            finally
            {
                _spin.Leave();
                if (left is not null)
                {
                    await left.CancelAsync().ConfigureAwait(false);
                    ((Task)call.Settled).Forget();
                }

                if (call.Callbacks!.HasLive)
                {
                    await call.Callbacks.EndAsync().ConfigureAwait(false);
                }
            }
        }
    }

    internal async Task<T> InvokeAsync<T>(string entryPoint, CallArguments? arguments, CallOptions? options, Lease? lease, CancellationToken cancellationToken)
    {
        var settled = await CallAsync(entryPoint, arguments, options, lease, queued: null, cancellationToken).ConfigureAwait(false);
        return ResultReader.Read<T>(settled, _settings.Json);
    }

    internal async Task InvokeAsync(string entryPoint, CallArguments? arguments, CallOptions? options, Lease? lease, CancellationToken cancellationToken)
    {
        var settled = await CallAsync(entryPoint, arguments, options, lease, queued: null, cancellationToken).ConfigureAwait(false);
        if (settled.Reply.Status != CallStatus.Succeeded)
        {
            ResultReader.ThrowIfFailed(settled.Reply, settled.Site);
        }
    }

    /// <summary>Makes a call and yields the items of its stream.</summary>
    internal async IAsyncEnumerable<T> StreamAsync<T>(
        string entryPoint, CallArguments? arguments, CallOptions? options, Lease? lease, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var span = CallTrace.Begin(Name, entryPoint);
        using var ending = new SpanScope(span);

        // Whoever stops reading in the middle cancels the call.
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (queue, call) = await PrepareStreamAsync(entryPoint, arguments, options, lease, span, left.Token).ConfigureAwait(false);
        var stream = call.Stream!;
        using var registration = WithdrawWhenCancelled(queue, call);
        if (left.IsCancellationRequested)
        {
            queue.Withdraw(call);
        }

        try
        {
            await foreach (var chunk in stream.Chunks.ConfigureAwait(false))
            {
                foreach (var item in ReadItems<T>(chunk, call, span))
                {
                    ThrowIfCancelled(span, cancellationToken);
                    yield return item;
                }
            }

            await SettleAsync(call, span, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await left.CancelAsync().ConfigureAwait(false);
            ((Task)call.Settled).Forget();
            await call.Callbacks!.EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Makes the call of a stream. One that is refused because another version has just become current is made there.</summary>
    private async Task<(InvocationQueue Queue, Invocation Call)> PrepareStreamAsync(
        string entryPoint, CallArguments? arguments, CallOptions? options, Lease? lease, Activity? span, CancellationToken cancellationToken)
    {
        CallPayload? payload = null;
        try
        {
            while (true)
            {
                var version = lease?.Version ?? _version;
                var (queue, call) = Prepare(version, entryPoint, arguments, ref payload, options, lease, measure: false, span, cancellationToken);
                if (call.Stream is null)
                {
                    throw new CallArgumentException($"{entryPoint} does not return a stream. Use InvokeAsync.", SiteOf(call));
                }

                _ = Submit(queue, call);
                if (lease is not null || !version!.CameTooLate(call))
                {
                    return (queue, call);
                }

                await call.Callbacks!.EndAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (CallTrace.Failed(span, exception))
        {
            throw;
        }
    }

    private T[] ReadItems<T>(CallReply chunk, Invocation call, Activity? span)
    {
        try
        {
            return ResultReader.Read<T[]>(chunk with { Status = CallStatus.Succeeded }, SiteOf(call), _settings.Json);
        }
        catch (Exception exception) when (CallTrace.Failed(span, exception))
        {
            throw;
        }
    }

    private static void ThrowIfCancelled(Activity? span, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            var cancelled = new OperationCanceledException(cancellationToken);
            CallTrace.Failed(span, cancelled);
            throw cancelled;
        }
    }

    // Whoever cancels gets the exception of the token that he knows.
    private async Task SettleAsync(Invocation call, Activity? span, CancellationToken cancellationToken)
    {
        try
        {
            var settled = await call.Settled.ConfigureAwait(false);
            CallTrace.Answered(span, settled, _settings.PluginSources);
            ResultReader.ThrowIfFailed(settled.Reply, settled.Site);
        }
        catch (Exception exception) when (exception is not PluginCallException && CallTrace.Failed(span, exception))
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    internal static CancellationTokenRegistration WithdrawWhenCancelled(InvocationQueue queue, Invocation call)
    {
        return call.CancellationToken.CanBeCanceled ? Register(queue, call) : default;

        // What it captures is allocated here, not for every call.
        static CancellationTokenRegistration Register(InvocationQueue queue, Invocation call) => call.CancellationToken.UnsafeRegister(_ => queue.Withdraw(call), null);
    }

    // A token that is cancelled between its registration and the queueing has found nothing to withdraw.
    internal static Task Submit(InvocationQueue queue, Invocation call)
    {
        var room = queue.PutAsync(call);
        if (call.CancellationToken.IsCancellationRequested)
        {
            queue.Withdraw(call);
        }

        return room;
    }

    private FaultSite SiteOf(Invocation call) => new(Name, CallId: call.Request.Id, EntryPoint: call.Request.EntryPoint, Execution: call.Execution);

    private CallRejectedException NotRunning(FaultSite site) => new(_isRetired ? RejectionReason.Stopped : RejectionReason.NotStarted, site);

    // The payload is made once, when it is known what is called: a stream among the arguments cannot be read twice.
    private (InvocationQueue Queue, Invocation Call) Prepare(
        PluginVersion? version, string entryPoint, CallArguments? arguments, ref CallPayload? payload, CallOptions? options, Lease? lease, bool measure, Activity? span, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entryPoint);
        cancellationToken.ThrowIfCancellationRequested();
        options?.Check();
        var place = new CallPlace(Name, Interlocked.Increment(ref _lastCallId), entryPoint);
        _ = version ?? throw NotRunning(place);
        var target = version.Plugin.TryFind(entryPoint) ?? version.Plugin.Find(entryPoint, place);
        if (payload is not { } made)
        {
            made = (arguments ?? CallArguments.None).ToPayload(place, _settings.Json);
            RefuseTooLarge(made, place);
            payload = made;
        }

        var isPlain = made.Live.Length == 0 && !target.Streams;
        var traits = new CallTraits(target.AcceptsCancellation, target.Streams, target.IsIdempotent && isPlain ? options?.Retries ?? _settings.Retries : 0);
        var callbacks = made.Live.Length == 0 && _settings.Services.IsEmpty
            ? _noCallbacks ??= new Callbacks([], _settings.Services, _settings.MaxMessageBytes, isShared: true)
            : new Callbacks(Array.ConvertAll(made.Live, argument => argument.Begin(_settings)), _settings.Services, _settings.MaxMessageBytes);
        var request = new CallRequest(place.CallId, entryPoint, made.Json, made.Attachments, measure) { Trace = TraceParent.Of(span) };
        return (lease?.Queue ?? version.Supervisor.Queue, new Invocation(request, traits, options ?? CallOptions.Default, callbacks, cancellationToken) { Counts = Counts });
    }

    // The chunks are arrays; what they hold in all is an array too. Bytes in the items become base64, which is read as well.
    private async Task<SettledCall> CollectAsync(Invocation call, CallStream stream)
    {
        using var items = new MemoryStream();
        await foreach (var chunk in stream.Chunks.ConfigureAwait(false))
        {
            var json = Inlined(chunk, call);
            if (json.Length > 2)
            {
                items.WriteByte((byte)(items.Length == 0 ? '[' : ','));
                items.Write(json.Span[1..^1]);
            }

            if (items.Length > _settings.MaxMessageBytes)
            {
                throw new CallArgumentException(
                    $"The items of {call.Request.EntryPoint} are more than {_settings.MaxMessageBytes} bytes (MaxMessageBytes) in all. Read them as a stream: StreamAsync.", SiteOf(call));
            }
        }

        var settled = await call.Settled.ConfigureAwait(false);
        items.Write(items.Length == 0 ? "[]"u8 : "]"u8);
        return settled.Reply.Error is null
            ? settled with { Reply = settled.Reply with { Status = CallStatus.Succeeded, Payload = items.ToArray(), Attachments = [] } }
            : settled;
    }

    private ReadOnlyMemory<byte> Inlined(CallReply chunk, Invocation call)
    {
        try
        {
            return chunk.Attachments.Length > 0 ? ResultReader.Inline(chunk, _settings.Json) : chunk.Payload;
        }
        catch (System.Text.Json.JsonException exception)
        {
            throw new CallArgumentException($"The items of {call.Request.EntryPoint} are not valid JSON: {exception.Message}", SiteOf(call), exception);
        }
    }

    private void RefuseTooLarge(CallPayload payload, CallPlace place)
    {
        var bytes = WireLimits.SizeOf(payload.Json, payload.Attachments);
        var cap = _settings.MaxMessageBytes - WireLimits.EnvelopeBytes;
        if (bytes > cap)
        {
            throw new CallArgumentException(
                $"The arguments of {place.EntryPoint} are {bytes} bytes; at most {cap} fit into a message. Raise MaxMessageBytes, or pass a path instead of the data.", place);
        }
    }
}
