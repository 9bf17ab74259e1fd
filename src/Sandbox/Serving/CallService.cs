using System.Buffers;
using ProcessPool.Protocol;
using ProcessPool.Sandbox.Loading;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Sandbox.Serving;

using Direct = (Func<ReadOnlyMemory<byte>, IBufferWriter<byte>, CancellationToken, (int Status, ReadOnlyMemory<byte>[] Attachments, Exception? Error)> Call, bool TakesToken);
using HostCall = Func<string, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], CancellationToken, Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)>>;
using Reply = (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error);

/// <summary>Runs calls. The host makes one request at a time.</summary>
internal sealed class CallService(LoadedPlugin plugin, HostCalls host, HostNotices notices, Recorder? recorder, int maxMessageBytes)
{
    private const int MaxCancelled = 1024;

    private const int KeptBytes = 64 * 1024;

    private static readonly CallReply Skipped = new(CallStatus.Skipped, default, [], null);

    private static readonly CallReply NotBegun =
        new(CallStatus.PluginThrew, default, [], new RemoteError(typeof(OperationCanceledException).FullName!, "It was cancelled before it began.", "", null));

    private readonly Lock _gate = new();
    private readonly HashSet<long> _cancelled = [];
    private readonly HashSet<long> _skipped = [];
    private ArrayBufferWriter<byte> _json = new();
    private Task _busy = Task.CompletedTask;
    private RunningCall? _call;
    private CallChunk? _chunk;
    private int _next;

    public Task<CallReply> InvokeAsync(CallRequest request) => RunAsync(() => InvokeCoreAsync(request));

    /// <summary>Runs them one after the other; each is answered as soon as that costs the others nothing. One that was taken back, or whose caller has left, is skipped.</summary>
    /// <param name="chunk">The calls.</param>
    /// <param name="firstReply">The id of the first one's reply.</param>
    /// <param name="outbox">Where the replies go.</param>
    public Task InvokeManyAsync(CallChunk chunk, long firstReply, Outbox outbox) => RunAsync(async () =>
    {
        lock (_gate)
        {
            (_chunk, _next) = (chunk, 0);
            _skipped.Clear();
        }

        using var reflection = plugin.EnterReflection();
        var direct = plugin.FindDirect(chunk.EntryPoint);
        var ambient = ExecutionContext.Capture();
        for (var i = 0; i < chunk.Ids.Length; i++)
        {
            // What one call leaves on its thread (culture, ambient values) is not there for the next one.
            if (ambient is not null)
            {
                ExecutionContext.Restore(ambient);
            }

            SynchronizationContext.SetSynchronizationContext(null);
            if (!TryBegin(i))
            {
                outbox.Add(ToResult(firstReply + i, Skipped));
            }
            else if (direct is null)
            {
                var reply = await InvokeCoreAsync(chunk.RequestOf(i)).ConfigureAwait(false);
                outbox.Add(ToResult(firstReply + i, reply.Spans is null ? reply : reply with { Spans = Shown(chunk, reply.Spans) }));
            }
            else if (Begin(chunk.Ids[i], chunk.EntryPoint, measures: false, chunk.TraceOf(i)) is not { } call)
            {
                outbox.Add(ToResult(firstReply + i, NotBegun));
            }
            else
            {
                var other = RunDirect(call, direct.Value, chunk, i);
                await LoggedAsync(call).ConfigureAwait(false);
                if (other is null)
                {
                    outbox.Add(firstReply + i, _json.WrittenSpan);
                }
                else
                {
                    outbox.Add(ToResult(firstReply + i, other));
                }
            }
        }

        outbox.Send();
        return true;
    });

    /// <summary>Takes back calls of the chunk that have not begun.</summary>
    public long[] Revoke(long[] callIds)
    {
        lock (_gate)
        {
            return Array.FindAll(callIds, Skip_NeedsLock);
        }
    }

    public Task<CallReply> NextAsync(long callId) => RunAsync(async () =>
    {
        if (_call is not { Stream: { } stream } call || call.Id != callId)
        {
            return new CallReply(CallStatus.ResultRefused, default, [], new RemoteError("", "There is no such stream.", "", null));
        }

        host.Enter(call);
        call.Span?.Enter();
        await stream.MoveNextAsync().ConfigureAwait(false);
        return await ReplyAsync(call, stream.Current).ConfigureAwait(false);
    });

    public Task<CallReply> EndAsync(long callId) => RunAsync(async () =>
    {
        if (_call is { } call && call.Id == callId)
        {
            host.Enter(call);
            call.Cancel();
            await FinishAsync(call).ConfigureAwait(false);

            // Nobody reads what its caller has left.
            call.Span?.End(succeeded: false);
        }

        return new CallReply(CallStatus.Succeeded, default, [], null);
    });

    /// <summary>Asks a call to end: now, or when it begins.</summary>
    public void Cancel(long callId)
    {
        RunningCall? call;
        lock (_gate)
        {
            call = _call;
            if (call?.Id != callId && !Skip_NeedsLock(callId))
            {
                // Most of these have ended already; the host asks again for one that runs all the same.
                if (_cancelled.Count >= MaxCancelled)
                {
                    _cancelled.Clear();
                }

                _cancelled.Add(callId);
            }
        }

        if (call?.Id == callId)
        {
            call.Cancel();
        }
    }

    /// <summary>Tells the plugin to stop, waits for the running call, disposes the plugin. The host bounds the wait.</summary>
    public async Task StopAsync()
    {
        await plugin.SignalStoppingAsync().ConfigureAwait(false);
        await _busy.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_call is { } call)
        {
            // A stream that nobody reads any more.
            call.Cancel();
            await FinishAsync(call).ConfigureAwait(false);
        }

        await plugin.DisposeAsync().ConfigureAwait(false);
    }

    // Streams and progress handlers belong to their call, on whatever thread they are used.
    private HostCall AskFor(RunningCall call) =>
        (target, payload, attachments, cancellationToken) => host.AskAsync(call, target, payload, attachments, cancellationToken);

    private Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        // Set before: it may hold this thread for long.
        var done = new TaskCompletionSource();
        _busy = done.Task;
        return FinishAsync();

        async Task<T> FinishAsync()
        {
            try
            {
                return await work().ConfigureAwait(false);
            }
            finally
            {
                done.SetResult();
            }
        }
    }

    private async Task<CallReply> InvokeCoreAsync(CallRequest request)
    {
        if (Begin(request.Id, request.EntryPoint, request.Measure, request.Trace) is not { } call)
        {
            return NotBegun;
        }

        var (first, stream) = await plugin.CallAsync(request.EntryPoint, request.Payload, request.Attachments, AskFor(call), call.Token).ConfigureAwait(false);
        call.Stream = stream;
        return await ReplyAsync(call, first).ConfigureAwait(false);
    }

    /// <summary>A call begins; null when its caller has left before.</summary>
    private RunningCall? Begin(long id, string entryPoint, bool measures, TraceParent? trace)
    {
        RunningCall call;
        lock (_gate)
        {
            if (_cancelled.Remove(id))
            {
                return null;
            }

            recorder?.Start(id);
            _call = call = new RunningCall(id, entryPoint, measures);
        }

        host.Enter(call);
        call.Span = trace is null ? null : plugin.BeginSpan(entryPoint, trace, collects: recorder is not null);
        return call;
    }

    /// <summary>Runs a call that is over when the method returns.</summary>
    /// <returns>Null when <see cref="_json"/> is all there is to say; otherwise the reply.</returns>
    private CallReply? RunDirect(RunningCall call, Direct direct, CallChunk chunk, int index)
    {
        if (_json.Capacity > KeptBytes)
        {
            _json = new ArrayBufferWriter<byte>();
        }

        _json.ResetWrittenCount();
        var (status, attachments, error) = direct.Call(chunk.PayloadOf(index), _json, direct.TakesToken ? call.Token : default);
        var spans = Shown(chunk, call.Span?.End(error is null));
        var isPlain = error is null && attachments.Length == 0 && spans is null && Fits(_json.WrittenCount);
        var reply = isPlain ? null : With(spans, ToMessage(call, (status, _json.WrittenSpan.ToArray(), attachments, error)));
        _call = null;
        call.Dispose();
        recorder?.Finish(call.Id);
        return reply;
    }

    /// <summary>Whether the next call of the chunk is to begin.</summary>
    private bool TryBegin(int index)
    {
        lock (_gate)
        {
            _next = index + 1;
            return _skipped.Count == 0 || !_skipped.Contains(_chunk!.Ids[index]);
        }
    }

    /// <summary>Whether it is a call of the chunk that has not begun; it will not begin any more.</summary>
    private bool Skip_NeedsLock(long callId)
    {
        var isNext = _chunk is not null && _next < _chunk.Ids.Length && Array.IndexOf(_chunk.Ids, callId, _next) >= 0;
        if (isNext)
        {
            // Also one that was skipped before: that answer may have come too late.
            _skipped.Add(callId);
        }

        return isNext;
    }

    private static JsonRpcResult ToResult(long id, CallReply reply) => new() { RequestId = new RequestId(id), Result = reply };

    private bool Fits(long bytes) => bytes <= maxMessageBytes - WireLimits.EnvelopeBytes;

    private async Task<CallReply> ReplyAsync(RunningCall call, Reply reply)
    {
        var message = ToMessage(call, reply);
        if (message.Status != CallStatus.Streaming)
        {
            await FinishAsync(call).ConfigureAwait(false);
            message = With(call.Span?.End(message.Status == CallStatus.Succeeded), message);
            await LoggedAsync(call).ConfigureAwait(false);
        }

        return message;
    }

    private CallReply With(SpanMessage[]? spans, CallReply message) =>
        spans is null or [] || !Fits(WireLimits.SizeOf(message.Payload, message.Attachments) + WireLimits.MaxSpanBytes) ? message : message with { Spans = spans };

    // The host's span is open until the reply is there: what was logged belongs to it.
    private Task LoggedAsync(RunningCall call) => call.Span is null ? Task.CompletedTask : notices.TakenAsync();

    // Of calls that have one span together, those show nothing in which the plugin shows nothing: they are many.
    private static SpanMessage[]? Shown(CallChunk chunk, SpanMessage[]? spans) => spans is null or [] || chunk.Trace is not null && spans.Length == 1 ? null : spans;

    private async Task FinishAsync(RunningCall call)
    {
        _call = null;
        try
        {
            await call.EndAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // A stream's own clean-up threw. Its items were delivered; there is no call left to fail.
            await Console.Error.WriteLineAsync($"{call.EntryPoint}: disposing its stream threw {exception}").ConfigureAwait(false);
        }

        call.Dispose();
        recorder?.Finish(call.Id);
    }

    private CallReply ToMessage(RunningCall call, Reply reply)
    {
        var (status, payload, attachments, error) = reply;
        if (error is not null)
        {
            return new CallReply((CallStatus)status, default, [], ErrorMapper.Map(error, plugin.Reporter.Explain(error)), call.Usage);
        }

        var bytes = WireLimits.SizeOf(payload, attachments);
        return Fits(bytes)
            ? new CallReply((CallStatus)status, payload, attachments, null, call.Usage)
            : CallReply.TooLarge(bytes, maxMessageBytes);
    }
}
