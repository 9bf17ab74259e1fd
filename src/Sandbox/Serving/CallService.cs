using ProcessPool.Protocol;
using ProcessPool.Sandbox.Loading;

namespace ProcessPool.Sandbox.Serving;

/// <summary>Runs calls. The host sends one at a time.</summary>
internal sealed class CallService(LoadedPlugin plugin, Recorder? recorder, int maxMessageBytes) : ISandboxCalls
{
    private Task _running = Task.CompletedTask;

    public Task<CallReply> InvokeAsync(CallRequest request, CancellationToken cancellationToken)
    {
        // A synchronous entry point must not hold the thread that reads this channel: a cancel could not arrive.
        var call = Task.Run(() => RunAsync(request, cancellationToken), CancellationToken.None);
        _running = call;
        return call;
    }

    /// <summary>Tells the plugin to stop, waits for the running call, disposes the plugin. The host bounds the wait.</summary>
    public async Task StopAsync()
    {
        await plugin.SignalStoppingAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await plugin.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<CallReply> RunAsync(CallRequest request, CancellationToken cancellationToken)
    {
        recorder?.Start(request.Id);
        var reply = await ReplyAsync(request, cancellationToken).ConfigureAwait(false);
        recorder?.Finish(request.Id);
        return reply;
    }

    private async Task<CallReply> ReplyAsync(CallRequest request, CancellationToken cancellationToken)
    {
        var (status, payload, attachments, error) =
            await plugin.CallAsync(request.EntryPoint, request.Payload, request.Attachments, cancellationToken).ConfigureAwait(false);
        if (error is not null)
        {
            return new CallReply((CallStatus)status, default, [], ErrorMapper.Map(error));
        }

        var bytes = WireLimits.SizeOf(payload, attachments);
        return bytes <= maxMessageBytes - WireLimits.EnvelopeBytes
            ? new CallReply((CallStatus)status, payload, attachments, null)
            : new CallReply(CallStatus.ResultRefused, default, [], new RemoteError(
                "", $"The result is {bytes} bytes; at most {maxMessageBytes - WireLimits.EnvelopeBytes} fit into a message (MaxMessageBytes).", "", null));
    }
}
