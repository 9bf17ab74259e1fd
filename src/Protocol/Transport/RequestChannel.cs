using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Protocol.Transport;

/// <summary>
/// Requests and replies on the calls channel: JSON-RPC in the same frames as on the control channel, but dispatched on the thread that reads them. StreamJsonRpc
/// hands every message to the thread pool. Reading is somebody else's: see <see cref="Receive(FrameBuffer)"/>. Thread-safe, but one reads at a time.
/// </summary>
/// <param name="write">Writes a frame.</param>
/// <param name="answer">Answers a request, until it is cancelled. <see cref="Answered"/>: it was answered already.</param>
/// <param name="gate">Which requests the other side may make. It is trusted when this is left out.</param>
/// <param name="continuesInline">Whether what waits for a reply goes on on the thread that reads: only where that runs nobody else's code.</param>
internal sealed class RequestChannel(
    Func<ReadOnlyMemory<byte>, ValueTask> write, Func<JsonRpcRequest, CancellationToken, Task<object?>> answer, RequestGate? gate, bool continuesInline)
{
    private const string CancelRequest = "$/cancelRequest";
    private const int MaxStrayCancels = 10_000;

    /// <summary>No reply of its own.</summary>
    public static readonly object Answered = new();

    private readonly FrameSender _sender = new(write);
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly Dictionary<long, TaskCompletionSource<object?>> _waiting = [];
    private readonly Dictionary<long, CancellationTokenSource> _answering = [];
    private long _lastId;
    private int _strayCancels;
    private ManyReplies? _many;
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
                return _waiting.Count > 0 || _many is not null;
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

        var sent = _sender.SendAsync(id, method, argument);
        if (!sent.IsCompletedSuccessfully)
        {
            _ = FailWithAsync(sent, id);
        }

        return cancellationToken.CanBeCanceled ? CancelWithAsync(reply.Task, id, cancellationToken) : reply.Task;
    }

    /// <summary>Makes a request that is answered many times. One such request at a time.</summary>
    /// <param name="method">The method.</param>
    /// <param name="argument">Its only argument.</param>
    /// <param name="many">Takes the answers, on the thread that reads.</param>
    /// <returns>Ends with the last answer; fails with an <see cref="IOException"/> when the connection has ended.</returns>
    public Task RequestManyAsync(string method, object argument, ManyReplies many)
    {
        lock (_gate)
        {
            if (_isOver)
            {
                return Task.FromException(Ended());
            }

            many.First = _lastId + 1;
            _many = many;
            _lastId += many.Count;
        }

        var sent = _sender.SendAsync(many.First, method, argument);
        if (!sent.IsCompletedSuccessfully)
        {
            _ = sent.AsTask().ContinueWith(failed => many.Fail(failed.Exception!.InnerException!), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }

        return many.Done;
    }

    /// <summary>Takes answers to <see cref="RequestManyAsync"/> that were found elsewhere; what was answered already, or makes no sense, is left.</summary>
    public void Recover(ReadOnlySpan<byte> frames, int maxMessageBytes)
    {
        var buffer = new FrameBuffer(maxMessageBytes);
        while (frames.Length > 0)
        {
            var room = buffer.Room().Span;
            var count = Math.Min(room.Length, frames.Length);
            frames[..count].CopyTo(room);
            buffer.Added(count);
            frames = frames[count..];
            while (buffer.TryTake(out var frame))
            {
                if (WireFormatter.TryReadResult(frame, out var id, out var result) && _many is { } many && many.Has(id))
                {
                    Reply(many, id, result);
                }
            }
        }
    }

    /// <summary>Sends frames as they are.</summary>
    public ValueTask SendAsync(ReadOnlyMemory<byte> frames) => _sender.SendAsync(frames);

    /// <summary>Takes the frames that are there: replies continue, requests begin, on this thread.</summary>
    /// <exception cref="Exception">What was read cannot be understood, or is not allowed: the connection is to be ended with it.</exception>
    public void Receive(FrameBuffer buffer)
    {
        while (buffer.TryTake(out var frame))
        {
            if (TryReplyPlainly(frame))
            {
                continue;
            }

            if (WireFormatter.TryReadResult(frame, out var id, out var result))
            {
                Receive(id, result);
            }
            else
            {
                Receive(WireFormatter.Read(frame));
            }
        }

        _many?.Received();
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
                Receive(result.RequestId.Number ?? 0, result.Result);
                break;
            case JsonRpcError error:
                Take(error.RequestId.Number ?? 0).SetException(new IOException($"It answered with an error: {error.Error!.Message}"));
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
        _many?.Fail(reason ?? Ended());
        waiting.ForEach(reply => reply.TrySetException(reason ?? Ended()));
        answering.ForEach(CancelElsewhere);
    }

    private void Reply(ManyReplies many, long id, object? result)
    {
        bool isLast;

        // Recovered ones come from another thread.
        lock (many)
        {
            isLast = many.Has(id) && many.Take(id, result);
        }

        if (isLast)
        {
            _many = null;
            many.Complete();
        }
    }

    private bool TryReplyPlainly(ReadOnlySpan<byte> frame)
    {
        if (_many is not { } many || !WireFormatter.TryReadPlainReply(frame, out var id, out var json))
        {
            return false;
        }

        bool isTaken, isLast;
        lock (many)
        {
            isTaken = many.TryTake(id, json, out isLast);
        }

        if (isLast)
        {
            _many = null;
            many.Complete();
        }

        return isTaken;
    }

    private async Task FailWithAsync(ValueTask sent, long id)
    {
        try
        {
            await sent.ConfigureAwait(false);
        }
        catch (Exception exception)
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

    // What runs then is a user's code: not on the thread that reads.
    private static void CancelElsewhere(CancellationTokenSource cancel)
    {
        try
        {
            _ = cancel.CancelAsync().ContinueWith(failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
        catch (ObjectDisposedException)
        {
            // It has just been answered.
        }
    }

    private static IOException Ended() => new("The connection has ended.");

    private void Receive(long id, object? result)
    {
        if (_many is { } many && many.Has(id))
        {
            Reply(many, id, result);
        }
        else
        {
            Take(id).SetResult(result);
        }
    }

    private TaskCompletionSource<object?> Take(long id)
    {
        lock (_gate)
        {
            return _waiting.Remove(id, out var reply) ? reply : throw new InvalidDataException("It answered a request that nobody made.");
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

            if (found is not null)
            {
                CancelElsewhere(found);
            }
            else if (++_strayCancels > MaxStrayCancels)
            {
                throw new RequestRefusedException("It cancelled what it had not asked for again and again.");
            }

            return;
        }

        var id = request.RequestId.Number ?? throw new InvalidDataException("A request has no number.");
        var cancel = new CancellationTokenSource();
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            if (!_answering.TryAdd(id, cancel))
            {
                throw new InvalidDataException("Two requests have one number.");
            }
        }

        _ = AnswerAsync(request, id, cancel);
    }

    private async Task AnswerAsync(JsonRpcRequest request, long id, CancellationTokenSource cancel)
    {
        JsonRpcMessage reply;
        try
        {
            reply = new JsonRpcResult { RequestId = request.RequestId, Result = await answer(request, cancel.Token).ConfigureAwait(false) };
        }
        catch (Exception exception)
        {
            reply = new JsonRpcError { RequestId = request.RequestId, Error = new JsonRpcError.ErrorDetail { Code = JsonRpcErrorCode.InvocationError, Message = exception.Message } };
        }

        lock (_gate)
        {
            _answering.Remove(id);
        }

        cancel.Dispose();
        try
        {
            if (reply is not JsonRpcResult { Result: var result } || result != Answered)
            {
                await SendAsync(reply).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // Nobody reads any more, so nobody waits.
        }
        catch (Exception exception)
        {
            // The other side would wait for ever.
            End(exception);
        }
        finally
        {
            // Not before it was sent: who asks and does not read gets no further.
            gate?.Leave();
        }
    }

    private ValueTask SendAsync(JsonRpcMessage message) => _sender.SendAsync(message);

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
