using ProcessPool.Binding;
using ProcessPool.Binding.Streams;
using ProcessPool.Protocol;

namespace ProcessPool.Calls;

/// <summary>What one call may ask of its host: its live arguments, and the services that are exposed.</summary>
/// <param name="live">Its live arguments.</param>
/// <param name="services">The services.</param>
/// <param name="maxMessageBytes">The frame cap.</param>
/// <param name="isShared">Every call without live arguments has this one, because no service is exposed: asking tells nothing about one of them.</param>
internal sealed class Callbacks(LiveCall[] live, HostServices services, int maxMessageBytes, bool isShared = false)
{
    /// <summary>Whether every call has this one.</summary>
    public bool IsShared => isShared;

    /// <summary>Whether there are live arguments.</summary>
    public bool HasLive => live.Length > 0;

    /// <summary>Whether the sandbox has asked for anything: then the call has begun, whatever else it says.</summary>
    public bool WasUsed { get; private set; }

    /// <summary>Answers a sandbox. Never fails.</summary>
    public async Task<CallReply> AnswerAsync(CallbackRequest request, CancellationToken cancellationToken)
    {
        WasUsed = !isShared;
        var reply = await FindAsync(request, cancellationToken).ConfigureAwait(false);
        return WireLimits.SizeOf(reply.Payload, reply.Attachments) <= maxMessageBytes - WireLimits.EnvelopeBytes
            ? reply
            : Refused($"What the host has for {request.Target} does not fit into a message (MaxMessageBytes).");
    }

    /// <summary>The call has ended.</summary>
    public Task EndAsync() => live.Length == 0 ? Task.CompletedTask : Task.WhenAll(live.Select(argument => argument.EndAsync()));

    public static CallReply Refused(string why) => new(CallStatus.ArgumentsRefused, default, [], new RemoteError("", why, "", null));

    /// <summary>Binder's reply as a message to a sandbox.</summary>
    public static CallReply ToMessage((int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error) reply) =>
        new((CallStatus)reply.Status, reply.Payload, reply.Attachments, reply.Error is { } error ? ErrorMapper.MapForPlugin(error) : null);

    private async Task<CallReply> FindAsync(CallbackRequest request, CancellationToken cancellationToken)
    {
        try
        {
            if (request is not { Target: not null, Attachments: not null })
            {
                return Refused("A callback has a target and a list of attachments.");
            }

            if (LiveReference.Parse(request.Target) is not var (index, operation))
            {
                return await services.CallAsync(request, cancellationToken).ConfigureAwait(false);
            }

            return (uint)index < (uint)live.Length
                ? await live[index].AnswerAsync(operation, request, cancellationToken).ConfigureAwait(false)
                : Refused($"The call has no argument {request.Target}.");
        }
        catch (ArgumentsRefusedException exception)
        {
            return Refused(exception.Message);
        }
        catch (Exception exception)
        {
            return new CallReply(CallStatus.PluginThrew, default, [], ErrorMapper.MapForPlugin(exception));
        }
    }
}
