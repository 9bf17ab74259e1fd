using ProcessPool.Protocol;
using ProcessPool.Sandbox.Loading;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Sandbox.Serving;

using HostCall = Func<string, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], CancellationToken, Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)>>;
using Reply = (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error);

/// <summary>Runs calls. The host makes one request at a time.</summary>
internal sealed class CallService(LoadedPlugin plugin, HostCalls host, Recorder? recorder, int maxMessageBytes)
{
    private const int MaxCancelled = 1024;

    private static readonly CallReply Skipped = new(CallStatus.Skipped, default, [], null);

    private readonly Lock _gate = new();
    private readonly HashSet<long> _cancelled = [];
    private readonly HashSet<long> _notBegun = [];
    private Task _busy = Task.CompletedTask;
    private RunningCall? _call;

    public Task<CallReply> InvokeAsync(CallRequest request) => RunAsync(async () =>
    {
        RunningCall call;
        lock (_gate)
        {
            if (_cancelled.Remove(request.Id))
            {
                // Its caller has left before it began.
                return new CallReply(CallStatus.PluginThrew, default, [], new RemoteError(typeof(OperationCanceledException).FullName!, "It was cancelled before it began.", "", null));
            }

            recorder?.Start(request.Id);
            _call = call = new RunningCall(request);
        }

        host.Enter(call);
        var (first, stream) = await plugin.CallAsync(request.EntryPoint, request.Payload, request.Attachments, AskFor(call), call.Token).ConfigureAwait(false);
        call.Stream = stream;
        return await ReplyAsync(call, first).ConfigureAwait(false);
    });

    /// <summary>Runs them one after the other; each is answered as soon as that costs the others nothing. One that was taken back, or whose caller has left, is skipped.</summary>
    /// <param name="chunk">The calls.</param>
    /// <param name="firstReply">The id of the first one's reply.</param>
    /// <param name="outbox">Where the replies go.</param>
    public async Task InvokeManyAsync(CallChunk chunk, long firstReply, Outbox outbox)
    {
        lock (_gate)
        {
            _notBegun.UnionWith(chunk.Requests.Select(request => request.Id));
        }

        for (var i = 0; i < chunk.Requests.Count; i++)
        {
            bool begins;
            lock (_gate)
            {
                begins = _notBegun.Remove(chunk.Requests[i].Id);
            }

            var reply = begins ? await InvokeAsync(chunk.Requests[i]).ConfigureAwait(false) : Skipped;
            outbox.Add(new JsonRpcResult { RequestId = new RequestId(firstReply + i), Result = reply });
        }

        outbox.Send();
    }

    /// <summary>Takes back calls of the chunk that have not begun.</summary>
    public long[] Revoke(long[] callIds)
    {
        lock (_gate)
        {
            return Array.FindAll(callIds, _notBegun.Remove);
        }
    }

    public Task<CallReply> NextAsync(long callId) => RunAsync(async () =>
    {
        if (_call is not { Stream: { } stream } call || call.Id != callId)
        {
            return new CallReply(CallStatus.ResultRefused, default, [], new RemoteError("", "There is no such stream.", "", null));
        }

        host.Enter(call);
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
            if (call?.Id != callId && !_notBegun.Remove(callId))
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

    private Task<CallReply> RunAsync(Func<Task<CallReply>> work)
    {
        // Set before: it may hold this thread for long.
        var done = new TaskCompletionSource();
        _busy = done.Task;
        return FinishAsync();

        async Task<CallReply> FinishAsync()
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

    private async Task<CallReply> ReplyAsync(RunningCall call, Reply reply)
    {
        var message = ToMessage(call, reply);
        if (message.Status != CallStatus.Streaming)
        {
            await FinishAsync(call).ConfigureAwait(false);
        }

        return message;
    }

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
        return bytes <= maxMessageBytes - WireLimits.EnvelopeBytes
            ? new CallReply((CallStatus)status, payload, attachments, null, call.Usage)
            : new CallReply(CallStatus.ResultRefused, default, [], new RemoteError(
                "", $"The result is {bytes} bytes; at most {maxMessageBytes - WireLimits.EnvelopeBytes} fit into a message (MaxMessageBytes).", "", null));
    }
}
