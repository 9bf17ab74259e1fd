using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Sandbox.Loading;
using StreamJsonRpc;

namespace ProcessPool.Sandbox.Serving;

/// <summary>Answers the host on the control channel: loads the plugin, opens the calls channel, ends both.</summary>
internal sealed class ControlService(IHostControl host, Stream calls, Recorder? recorder) : ISandboxControl, IAsyncDisposable
{
    private readonly TaskCompletionSource _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CallService? _service;
    private JsonRpc? _callsChannel;

    public Task ExitRequested => _exit.Task;

    public async Task<InitializeReply> InitializeAsync(InitializeRequest request, CancellationToken cancellationToken)
    {
        if (request.ProtocolVersion != WireLimits.ProtocolVersion || _service is not null)
        {
            return Failed(StartStage.Started, new RemoteError("", "The host speaks another protocol version, or initialized twice.", "", null));
        }

        var reached = StartStage.Started;
        try
        {
            var policy = LoadPolicy.For(request.EntryAssembly);
            await ReachAsync(StartStage.Resolved).ConfigureAwait(false);
            var plugin = LoadedPlugin.Load(request.EntryAssembly, policy);
            await ReachAsync(StartStage.Loaded).ConfigureAwait(false);
            plugin.Activate(request);
            await ReachAsync(StartStage.Activated).ConfigureAwait(false);
            Serve(plugin, request.MaxMessageBytes);
            return new InitializeReply(WireLimits.ProtocolVersion, null, null);
        }
        catch (Exception exception)
        {
            return Failed(reached + 1, ErrorMapper.Map(exception));
        }

        Task ReachAsync(StartStage stage)
        {
            reached = stage;
            return host.StageAsync(stage);
        }
    }

    public Task ShutdownAsync(CancellationToken cancellationToken) => _service?.StopAsync() ?? Task.CompletedTask;

    public Task ExitAsync()
    {
        _exit.TrySetResult();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _callsChannel?.Dispose();
        return default;
    }

    private void Serve(LoadedPlugin plugin, int maxMessageBytes)
    {
        _service = new CallService(plugin, recorder, maxMessageBytes);
        _callsChannel = RpcChannel.Create(calls, "calls", maxMessageBytes);
        _callsChannel.AddLocalRpcTarget<ISandboxCalls>(_service, null);
        _callsChannel.StartListening();
    }

    private static InitializeReply Failed(StartStage stage, RemoteError error) => new(WireLimits.ProtocolVersion, stage, error);
}
