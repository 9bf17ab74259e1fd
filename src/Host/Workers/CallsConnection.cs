using ProcessPool.Protocol.Transport;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Workers;

/// <summary>The host's end of a sandbox's calls channel, over a pipe or, in debug mode, over a stream.</summary>
internal sealed class CallsConnection : IDisposable
{
    private readonly RequestChannel _channel;
    private readonly PolledPipe? _pipe;
    private readonly CancellationTokenSource _closed = new();

    /// <param name="sandbox">Whose.</param>
    /// <param name="maxMessageBytes">The frame cap.</param>
    /// <param name="callbacks">Answers the sandbox, on the thread pool.</param>
    public CallsConnection(ISandbox sandbox, int maxMessageBytes, CallbackTarget callbacks)
    {
        Func<JsonRpcRequest, CancellationToken, Task<object?>> answer = (request, cancelled) =>
        {
            // Whoever happens to read is not who asks.
            using var noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
            return Task.Run(async () => (object?)await callbacks.CallbackAsync(request.ArgumentsList is [var only] ? only : null, cancelled).ConfigureAwait(false));
        };
        if (OperatingSystem.IsLinux() && sandbox.CallsPipe is { } raw)
        {
            PolledPipe pipe = null!;
            _channel = new RequestChannel(bytes => pipe.WriteAsync(bytes), answer, callbacks.Gate, continuesInline: true);
            _pipe = pipe = new PolledPipe(raw, maxMessageBytes, _channel.Receive, _channel.End, () => _channel.IsWaiting);
        }
        else
        {
            _channel = new RequestChannel(bytes => WriteAsync(sandbox.Calls, bytes), answer, callbacks.Gate, continuesInline: true);
            _ = ReadAsync(sandbox.Calls, new FrameBuffer(maxMessageBytes));
        }
    }

    /// <summary>Ends with the connection; fails when what the sandbox sent cannot be understood.</summary>
    public Task Completion => _channel.Completion;

    /// <summary>Makes a request; its reply continues on the thread that reads it. Then <see cref="Watch"/> or <see cref="Spin"/>.</summary>
    public Task<object?> RequestAsync(string method, object argument) => _channel.RequestAsync(method, argument);

    /// <inheritdoc cref="RequestChannel.RequestManyAsync"/>
    public Task RequestManyAsync(string method, object argument, ManyReplies replies) => _channel.RequestManyAsync(method, argument, replies);

    /// <inheritdoc cref="RequestChannel.Recover"/>
    public void Recover(byte[] frames)
    {
        try
        {
            _channel.Recover(frames, frames.Length);
        }
        catch (Exception)
        {
            // Nonsense; what could be read was.
        }
    }

    /// <inheritdoc cref="IWorker.Watch"/>
    public void Watch() => _pipe?.Watch();

    /// <inheritdoc cref="IWorker.Spin"/>
    public bool Spin(Task task, long untilTimestamp) => _pipe?.Spin(task, untilTimestamp) ?? task.IsCompleted;

    public void Dispose()
    {
        _closed.Cancel();
        _pipe?.Dispose();
        _channel.End(null);
    }

    private async Task ReadAsync(Stream stream, FrameBuffer buffer)
    {
        try
        {
            int count;
            while ((count = await stream.ReadAsync(buffer.Room(), _closed.Token).ConfigureAwait(false)) > 0)
            {
                buffer.Added(count);
                _channel.Receive(buffer);
            }

            _channel.End(buffer.IsEmpty ? null : new EndOfStreamException("The connection ended in the middle of a message."));
        }
        catch (Exception exception)
        {
            _channel.End(exception is OperationCanceledException or ObjectDisposedException ? null : exception);
        }
    }

    private static async ValueTask WriteAsync(Stream stream, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await FrameSender.WriteAsync(stream, bytes).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ObjectDisposedException or InvalidOperationException)
        {
            throw new IOException(exception.Message, exception);
        }
    }
}
