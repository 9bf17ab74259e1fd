namespace ProcessPool.Scheduling;

/// <summary>
/// Bounded, first in first out. Callers wait for room, slots wait for calls; both can give up at any time. A call that is cancelled
/// while it waits leaves at once. No code of a caller runs under the lock: every completion here continues asynchronously.
/// </summary>
internal sealed class InvocationQueue(int capacity)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Invocation> _calls = new();
    private readonly LinkedList<(Invocation Call, TaskCompletionSource Queued)> _callers = new();
    private readonly LinkedList<TaskCompletionSource<Invocation?>> _takers = new();
    private Func<Invocation, Exception>? _refuse;
    private bool _closed;

    /// <summary>How many calls wait for a worker.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _calls.Count;
            }
        }
    }

    /// <summary>Whether no call waits and none will: the pool drains, and is done.</summary>
    public bool IsDrained
    {
        get
        {
            lock (_gate)
            {
                return _refuse is not null && _calls.Count == 0 && _callers.Count == 0;
            }
        }
    }

    /// <summary>Queues a call as soon as there is room. The task ends when the call is queued, handed out or settled; it never fails.</summary>
    public Task PutAsync(Invocation call)
    {
        Exception refusal;
        lock (_gate)
        {
            if (_refuse is null)
            {
                if (HandOut_NeedsLock(call))
                {
                    return Task.CompletedTask;
                }

                if (_calls.Count < capacity)
                {
                    call.QueueNode = _calls.AddLast(call);
                    return Task.CompletedTask;
                }

                var queued = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _callers.AddLast((call, queued));
                return queued.Task;
            }

            refusal = _refuse(call);
        }

        call.Fail(refusal);
        return Task.CompletedTask;
    }

    /// <summary>Puts a call that was taken but not started back to the head, whatever the capacity.</summary>
    public void PutBack(Invocation call)
    {
        Exception refusal;
        lock (_gate)
        {
            if (call.CancellationToken.IsCancellationRequested)
            {
                // It was told while nobody held it: Withdraw found it nowhere.
                call.Cancel();
                return;
            }

            if (!_closed)
            {
                if (!HandOut_NeedsLock(call))
                {
                    call.QueueNode = _calls.AddFirst(call);
                }

                return;
            }

            refusal = _refuse!(call);
        }

        call.Fail(refusal);
    }

    /// <summary>The next call; null when the token is cancelled, or when there will be none.</summary>
    public async ValueTask<Invocation?> TakeAsync(CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource<Invocation?>> taker;
        lock (_gate)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                return null;
            }

            if (_calls.First is { Value: var call })
            {
                Remove_NeedsLock(call);
                return call;
            }

            if (_refuse is not null)
            {
                return null;
            }

            taker = _takers.AddLast(new TaskCompletionSource<Invocation?>(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        using var registration = cancellationToken.UnsafeRegister(_ => Dismiss(taker), null);
        return await taker.Value.Task.ConfigureAwait(false);
    }

    /// <summary>Takes a waiting call out and cancels it. Nothing happens to one that was handed out: that is its slot's business.</summary>
    public void Withdraw(Invocation call)
    {
        TaskCompletionSource? queued = null;
        lock (_gate)
        {
            if (call.QueueNode is not null)
            {
                Remove_NeedsLock(call);
            }
            else if (FindCaller_NeedsLock(call) is { } caller)
            {
                _callers.Remove(caller);
                queued = caller.Value.Queued;
            }
            else
            {
                return;
            }
        }

        call.Cancel();
        queued?.SetResult();
    }

    /// <summary>Refuses calls from now on, but hands out those that were made before.</summary>
    public void Drain(Func<Invocation, Exception> refuse)
    {
        lock (_gate)
        {
            _refuse ??= refuse;
            ReleaseTakers_NeedsLock();
        }
    }

    /// <summary>Refuses calls from now on, and every call that waits.</summary>
    public void Close(Func<Invocation, Exception> refuse)
    {
        List<Invocation> refused;
        lock (_gate)
        {
            _refuse ??= refuse;
            _closed = true;
            refused = [.. _calls, .. _callers.Select(caller => caller.Call)];
            foreach (var (_, queued) in _callers)
            {
                queued.SetResult();
            }

            foreach (var call in _calls)
            {
                call.QueueNode = null;
            }

            _calls.Clear();
            _callers.Clear();
            ReleaseTakers_NeedsLock();
        }

        refused.ForEach(call => call.Fail(refuse(call)));
    }

    private bool HandOut_NeedsLock(Invocation call)
    {
        if (_takers.First is not { } taker)
        {
            return false;
        }

        _takers.RemoveFirst();
        taker.Value.SetResult(call);
        return true;
    }

    // The caller who waited longest gets the room.
    private void Remove_NeedsLock(Invocation call)
    {
        _calls.Remove(call.QueueNode!);
        call.QueueNode = null;
        if (_calls.Count < capacity && _callers.First is { Value: var (next, queued) })
        {
            _callers.RemoveFirst();
            next.QueueNode = _calls.AddLast(next);
            queued.SetResult();
        }
    }

    private LinkedListNode<(Invocation Call, TaskCompletionSource Queued)>? FindCaller_NeedsLock(Invocation call)
    {
        var node = _callers.First;
        while (node is not null && node.Value.Call != call)
        {
            node = node.Next;
        }

        return node;
    }

    private void Dismiss(LinkedListNode<TaskCompletionSource<Invocation?>> taker)
    {
        lock (_gate)
        {
            if (taker.List is null)
            {
                return;
            }

            _takers.Remove(taker);
            taker.Value.SetResult(null);
        }
    }

    private void ReleaseTakers_NeedsLock()
    {
        foreach (var taker in _takers)
        {
            taker.SetResult(null);
        }

        _takers.Clear();
    }
}
