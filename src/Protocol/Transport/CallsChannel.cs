using System.Diagnostics.CodeAnalysis;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Protocol.Transport;

/// <summary>
/// Requests and replies on the calls channel: JSON-RPC in the same frames as on the control channel, but dispatched on the thread that reads them. StreamJsonRpc
/// hands every message to the thread pool, twice, which costs more than the message. Reading is somebody else's: see <see cref="Receive(FrameBuffer)"/>. Thread-safe, but one reads at a time.
/// </summary>
/// <param name="write">Writes a frame.</param>
/// <param name="answer">Answers a request: its method, its argument, and what cancels it.</param>
/// <param name="gate">Which requests the other side may make. It is trusted when this is left out.</param>
/// <param name="continuesInline">Whether what waits for a reply goes on on the thread that reads: only where that runs nobody else's code.</param>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle.")]
internal sealed class CallsChannel(
    Func<ReadOnlyMemory<byte>, ValueTask> write, Func<string, object?, CancellationToken, Task<object?>> answer, RequestGate? gate, bool continuesInline)
{
    private const string CancelRequest = "$/cancelRequest";

    private readonly SemaphoreSlim _writing = new(1);
    private readonly WireWriter _writer = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly Dictionary<long, TaskCompletionSource<object?>> _waiting = [];
    private readonly Dictionary<long, CancellationTokenSource> _answering = [];
    private long _lastId;
    private bool _isOver;

    /// <summary>Ends with the connection; fails when what the other side sent cannot be understood.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Whether a reply is waited for.</summary>
    public bool IsWaiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count > 0;
            }
        }
    }

    /// <summary>Makes a request. The task fails with an <see cref="IOException"/> when the connection has ended.</summary>
    /// <param name="method">The method.</param>
    /// <param name="argument">Its only argument.</param>
    /// <param name="cancellationToken">Cancels it on the other side, which answers all the same.</param>
    public Task<object?> RequestAsync(string method, object? argument, CancellationToken cancellationToken = default)
    {
        var reply = new TaskCompletionSource<object?>(continuesInline ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);
        long id;
        lock (_gate)
        {
            if (_isOver)
            {
                return Task.FromException<object?>(Ended());
            }

            id = ++_lastId;
            _waiting.Add(id, reply);
        }

        var sent = SendAsync(new JsonRpcRequest { RequestId = new RequestId(id), Method = method, ArgumentsList = [argument] });
        if (!sent.IsCompletedSuccessfully)
        {
            _ = FailWithAsync(sent, id);
        }

        return cancellationToken.CanBeCanceled ? CancelWithAsync(reply.Task, id, cancellationToken) : reply.Task;
    }

    /// <summary>Takes the frames that are there: replies continue, requests begin, on this thread.</summary>
    /// <exception cref="Exception">What was read cannot be understood, or is not allowed: the connection is to be ended with it.</exception>
    public void Receive(FrameBuffer buffer)
    {
        while (buffer.TryTake(out var frame))
        {
            Receive(WireFormatter.Read(frame));
        }
    }

    /// <summary>Takes one message.</summary>
    /// <exception cref="Exception">As <see cref="Receive(FrameBuffer)"/>.</exception>
    public void Receive(JsonRpcMessage message)
    {
        switch (message)
        {
            case JsonRpcRequest request:
                gate?.Enter(request.Method);
                Begin(request);
                break;
            case JsonRpcResult result:
                Take(result.RequestId).SetResult(result.Result);
                break;
            case JsonRpcError error:
                Take(error.RequestId).SetException(new IOException($"It answered with an error: {error.Error!.Message}"));
                break;
        }
    }

    /// <summary>Nothing is read any more: fails what waits, cancels what is being answered.</summary>
    /// <param name="reason">Why, if the other side broke the rules.</param>
    public void End(Exception? reason)
    {
        List<TaskCompletionSource<object?>> waiting;
        List<CancellationTokenSource> answering;
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            _isOver = true;
            waiting = [.. _waiting.Values];
            _waiting.Clear();
            answering = [.. _answering.Values];
        }

        _ = reason is null ? _completion.TrySetResult() : _completion.TrySetException(reason);
        _ = _completion.Task.Exception;
        waiting.ForEach(reply => reply.TrySetException(reason ?? Ended()));
        answering.ForEach(cancel => cancel.Cancel());
    }

    private async Task FailWithAsync(ValueTask sent, long id)
    {
        try
        {
            await sent.ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            TaskCompletionSource<object?>? reply;
            lock (_gate)
            {
                _waiting.Remove(id, out reply);
            }

            reply?.TrySetException(exception);
        }
    }

    private async Task<object?> CancelWithAsync(Task<object?> reply, long id, CancellationToken cancellationToken)
    {
        using var cancel = cancellationToken.UnsafeRegister(
            _ => SendAndForget(new JsonRpcRequest { Method = CancelRequest, NamedArguments = new Dictionary<string, object?> { ["id"] = new RequestId(id) } }), null);
        return await reply.ConfigureAwait(false);
    }

    private static IOException Ended() => new("The connection has ended.");

    private TaskCompletionSource<object?> Take(RequestId id)
    {
        lock (_gate)
        {
            return _waiting.Remove(id.Number ?? 0, out var reply) ? reply : throw new InvalidDataException("It answered a request that nobody made.");
        }
    }

    private void Begin(JsonRpcRequest request)
    {
        if (request.Method == CancelRequest)
        {
            CancellationTokenSource? found;
            lock (_gate)
            {
                _answering.TryGetValue(request.NamedArguments?["id"] is RequestId { Number: { } number } ? number : 0, out found);
            }

            _ = found?.CancelAsync();
            return;
        }

        _ = AnswerAsync(request);
    }

    private async Task AnswerAsync(JsonRpcRequest request)
    {
        var id = request.RequestId.Number ?? throw new InvalidDataException("A request has no number.");
        using var cancel = new CancellationTokenSource();
        lock (_gate)
        {
            if (_isOver || !_answering.TryAdd(id, cancel))
            {
                return;
            }
        }

        JsonRpcMessage reply;
        try
        {
            reply = new JsonRpcResult { RequestId = request.RequestId, Result = await answer(request.Method!, request.ArgumentsList is [var only, ..] ? only : null, cancel.Token).ConfigureAwait(false) };
        }
        catch (Exception exception)
        {
            reply = new JsonRpcError { RequestId = request.RequestId, Error = new JsonRpcError.ErrorDetail { Code = JsonRpcErrorCode.InvocationError, Message = exception.Message } };
        }

        lock (_gate)
        {
            _answering.Remove(id);
        }

        gate?.Leave();
        SendAndForget(reply);
    }

    private ValueTask SendAsync(JsonRpcMessage message)
    {
        // Almost always nobody else writes, and there is room.
        if (!_writing.Wait(0))
        {
            return SendLaterAsync(message);
        }

        ValueTask written;
        try
        {
            _writer.Frame(message);
            written = write(_writer.Written);
        }
        catch (Exception exception)
        {
            written = ValueTask.FromException(exception);
        }

        if (!written.IsCompletedSuccessfully)
        {
            return ReleaseAfterAsync(written);
        }

        _writing.Release();
        return default;
    }

    private async ValueTask SendLaterAsync(JsonRpcMessage message)
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            _writer.Frame(message);
            await write(_writer.Written).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async ValueTask ReleaseAfterAsync(ValueTask written)
    {
        try
        {
            await written.ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    // When nobody reads any more, there is nobody left to tell.
    private void SendAndForget(JsonRpcMessage message)
    {
        var sent = SendAsync(message);
        if (!sent.IsCompletedSuccessfully)
        {
            _ = sent.AsTask().ContinueWith(failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }
}
