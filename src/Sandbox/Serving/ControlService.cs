using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Sandbox.Loading;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Sandbox.Serving;

/// <summary>Answers the host: on the control channel, where it loads the plugin, opens the calls channel and ends both, and on that.</summary>
internal sealed class ControlService(IHostControl host, PipeEnd calls, Recorder? recorder, string proof) : ISandboxControl, IAsyncDisposable
{
    private readonly HostNotices _notices = new(host);
    private readonly TaskCompletionSource _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CallService? _service;
    private LoadedPlugin? _plugin;
    private RequestChannel? _callsChannel;
    private Outbox? _outbox;
    private Mailbox? _mailbox;

    /// <summary>Ends when the host says exit; fails when its calls cannot be understood any more.</summary>
    public Task ExitRequested => _exit.Task;

    /// <summary>Answers a request on the control channel. What runs plugin code does so on the thread pool.</summary>
    public async Task<object?> AnswerAsync(JsonRpcRequest request, CancellationToken cancellationToken)
    {
        var argument = request.ArgumentsList is [var only] ? only : null;
        switch (request.Method)
        {
            case nameof(InitializeAsync):
                return await Task.Run(() => InitializeAsync((InitializeRequest)argument!, cancellationToken), cancellationToken).ConfigureAwait(false);
            case nameof(ProveAsync):
                return await ProveAsync(cancellationToken).ConfigureAwait(false);
            case nameof(GetLoadReportAsync):
                return await GetLoadReportAsync(cancellationToken).ConfigureAwait(false);
            case nameof(CancelAsync):
                await CancelAsync((long)argument!).ConfigureAwait(false);
                return null;
            case nameof(RevokeAsync):
                return await RevokeAsync((long[])argument!).ConfigureAwait(false);
            case nameof(ShutdownAsync):
                await Task.Run(() => ShutdownAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
                return null;
            case nameof(ExitAsync):
                await ExitAsync().ConfigureAwait(false);
                return null;
            default:
                throw Unknown(request);
        }
    }

    public Task<string> ProveAsync(CancellationToken cancellationToken) => Task.FromResult(proof);

    public async Task<InitializeReply> InitializeAsync(InitializeRequest request, CancellationToken cancellationToken)
    {
        if (request.ProtocolVersion != WireLimits.ProtocolVersion || _service is not null)
        {
            return Failed(StartStage.Started, new RemoteError("", "The host speaks another protocol version, or initialized twice.", "", null));
        }

        var reached = StartStage.Started;
        LoadReporter? reporter = null;
        try
        {
            var policy = LoadPolicy.For(request.EntryAssembly);
            reporter = new LoadReporter(policy, request.EntryAssembly);
            Reach(StartStage.Resolved);
            var plugin = _plugin = LoadedPlugin.Load(request.EntryAssembly, policy, reporter);
            Reach(StartStage.Loaded);
            var hostCalls = new HostCalls(request.MaxMessageBytes);
            await plugin.ActivateAsync(request, _notices, hostCalls).ConfigureAwait(false);
            Reach(StartStage.Activated);
            Serve(plugin, hostCalls, request.MaxMessageBytes);
            return new InitializeReply(WireLimits.ProtocolVersion, null, null);
        }
        catch (Exception exception)
        {
            return Failed(reached + 1, ErrorMapper.Map(exception, reporter?.Explain(exception))) with { LoadReport = _plugin?.LoadReport ?? reporter?.Report(null) };
        }

        // Nothing waits for the answer: a host that is busy with its own start must not hold up this one.
        void Reach(StartStage stage)
        {
            reached = stage;
            _ = host.StageAsync(stage);
        }
    }

    public Task<LoadReportMessage> GetLoadReportAsync(CancellationToken cancellationToken) => Task.Run(() => _plugin?.LoadReport ?? new LoadReportMessage([]), cancellationToken);

    public Task CancelAsync(long callId)
    {
        _service?.Cancel(callId);
        return Task.CompletedTask;
    }

    public Task<long[]> RevokeAsync(long[] callIds) => Task.FromResult(_service?.Revoke(callIds) ?? []);

    public async Task ShutdownAsync(CancellationToken cancellationToken)
    {
        try
        {
            await (_service?.StopAsync() ?? Task.CompletedTask).ConfigureAwait(false);
        }
        finally
        {
            await _notices.FlushAsync().ConfigureAwait(false);
        }
    }

    public Task ExitAsync()
    {
        _exit.TrySetResult();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _callsChannel?.End(null);
        _outbox?.Dispose();
        return default;
    }

    private void Serve(LoadedPlugin plugin, HostCalls hostCalls, int maxMessageBytes)
    {
        _service = new CallService(plugin, hostCalls, _notices, recorder, maxMessageBytes);
        _callsChannel = new RequestChannel(calls.Write, AnswerCallAsync, gate: null, continuesInline: false);
        _outbox = new Outbox(_callsChannel, recorder);
        _mailbox = recorder is null ? null : Mailbox.OfSandbox(recorder.Memory, maxMessageBytes);
        var reader = new CallsThread(calls.Read, maxMessageBytes);
        hostCalls.Connect(_callsChannel, reader);
        reader.Start(_callsChannel);
        _ = FailWithAsync(_callsChannel.Completion);
    }

    private async Task<object?> AnswerCallAsync(JsonRpcRequest request, CancellationToken cancellationToken)
    {
        var argument = request.ArgumentsList is [var only] ? only : null;
        switch (request.Method)
        {
            case nameof(ISandboxCalls.InvokeAsync):
                return Put(await _service!.InvokeAsync(Take((CallRequest)argument!)).ConfigureAwait(false));
            case nameof(ISandboxCalls.InvokeManyAsync):
                await _service!.InvokeManyAsync((CallChunk)argument!, request.RequestId.Number!.Value, _outbox!).ConfigureAwait(false);
                return RequestChannel.Answered;
            case nameof(ISandboxCalls.NextAsync):
                return Put(await _service!.NextAsync((long)argument!).ConfigureAwait(false));
            case nameof(ISandboxCalls.EndAsync):
                return await _service!.EndAsync((long)argument!).ConfigureAwait(false);
            default:
                throw Unknown(request);
        }
    }

    private static InvalidOperationException Unknown(JsonRpcRequest request) => new($"There is no method {request.Method}.");

    private CallRequest Take(CallRequest request) =>
        request.InMailbox.Length == 0 ? request : request with { Attachments = _mailbox!.Take(request.Attachments, request.InMailbox), InMailbox = [] };

    private CallReply Put(CallReply reply)
    {
        if (_mailbox is null || reply.Attachments.Length == 0)
        {
            return reply;
        }

        var (attachments, lengths) = _mailbox.Put(reply.Attachments);
        return reply with { Attachments = attachments, InMailbox = lengths };
    }

    private async Task FailWithAsync(Task callsChannel)
    {
        try
        {
            await callsChannel.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _exit.TrySetException(exception);
        }
    }

    private static InitializeReply Failed(StartStage stage, RemoteError error) => new(WireLimits.ProtocolVersion, stage, error);
}
