using System.Diagnostics.CodeAnalysis;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;

namespace ProcessPool.Sandbox.Serving;

/// <summary>The plugin's calls to the host: for the call that it executes, as long as it does.</summary>
[SuppressMessage("Design", "CA1001", Justification = "It lives as long as the process, and its semaphore has no wait handle.")]
internal sealed class HostCalls(int maxMessageBytes)
{
    // Half of what the host allows at a time, so that a busy plugin never looks like a hostile one.
    private readonly SemaphoreSlim _room = new(WireLimits.MaxRequestsAtOnce / 2);
    private readonly AsyncLocal<RunningCall?> _current = new();
    private RequestChannel? _channel;
    private CallsThread? _reader;

    /// <summary>The host can be asked from now on.</summary>
    public void Connect(RequestChannel channel, CallsThread reader) => (_channel, _reader) = (channel, reader);

    /// <summary>The number of the call whose code this is; 0: of none.</summary>
    public long CurrentCall => _current.Value is { IsOver: false } call ? call.Id : 0;

    /// <summary>What runs from here on is part of this call.</summary>
    public void Enter(RunningCall call) => _current.Value = call;

    /// <summary>Asks the host for the call whose code this is.</summary>
    /// <inheritdoc cref="AskAsync(RunningCall, string, ReadOnlyMemory{byte}, ReadOnlyMemory{byte}[], CancellationToken)"/>
    public Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)> AskAsync(
        string target, ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte>[] attachments, CancellationToken cancellationToken) =>
        AskAsync(_current.Value, target, payload, attachments, cancellationToken);

    /// <summary>Asks the host for a call, whoever's code this is.</summary>
    /// <exception cref="HostServiceException">The host refused, or its code threw.</exception>
    /// <exception cref="InvalidOperationException">No call is executing here.</exception>
    public async Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)> AskAsync(
        RunningCall? call, string target, ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte>[] attachments, CancellationToken cancellationToken)
    {
        if (_channel is null || call is not { IsOver: false })
        {
            throw new InvalidOperationException($"The host can be asked for {target} only while a call executes, by code that the call runs.");
        }

        var bytes = WireLimits.SizeOf(payload, attachments);
        if (bytes > maxMessageBytes - WireLimits.EnvelopeBytes)
        {
            throw new HostServiceException("", $"The arguments of {target} are {bytes} bytes; at most {maxMessageBytes - WireLimits.EnvelopeBytes} fit into a message (MaxMessageBytes).");
        }

        await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var asked = _channel.RequestAsync(nameof(IHostCalls.CallbackAsync), new CallbackRequest(call.Id, target, payload, attachments), cancellationToken);
            _reader!.LetAnotherRead();
            var reply = (CallReply)(await asked.ConfigureAwait(false))!;
            return reply.Error is { } error
                ? throw new HostServiceException(error.Type, error.Message)
                : (reply.Payload, reply.Attachments, reply.Status == CallStatus.Streaming);
        }
        finally
        {
            _room.Release();
        }
    }
}
