using ProcessPool.Binding;
using ProcessPool.Binding.Streams;
using ProcessPool.Protocol;

namespace ProcessPool.Calls;

/// <summary>What one call may ask of its host: its live arguments, and the services that are exposed.</summary>
internal sealed class Callbacks(LiveCall[] live, HostServices services)
{
    /// <summary>Whether the call can be made again: a stream that was read cannot be read once more.</summary>
    public bool CanRestart => live.Length == 0;

    /// <summary>Answers a sandbox. Never fails.</summary>
    public async Task<CallReply> AnswerAsync(CallbackRequest request, CancellationToken cancellationToken)
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
                ? await live[index].AnswerAsync(operation, request).ConfigureAwait(false)
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

    /// <summary>The call has ended.</summary>
    public Task EndAsync() => Task.WhenAll(live.Select(argument => argument.EndAsync()));

    public static CallReply Refused(string why) => new(CallStatus.ArgumentsRefused, default, [], new RemoteError("", why, "", null));

    /// <summary>Binder's reply as a message to a sandbox.</summary>
    public static CallReply ToMessage((int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error) reply) =>
        new((CallStatus)reply.Status, reply.Payload, reply.Attachments, reply.Error is { } error ? ErrorMapper.MapForPlugin(error) : null);
}
