namespace ProcessPool.Scheduling;

/// <summary>
/// Bounded, by priority, then first in first out. Callers wait for room or are refused, slots wait for calls; all can give up at any time. A call that is
/// cancelled while it waits leaves at once. No code of a caller runs under the lock. A call that finds a taker waiting is handed to it on the caller's thread;
/// every other completion here continues on the thread pool.
/// </summary>
internal sealed partial class InvocationQueue : IDisposable
{
    private readonly int _capacity;
    private readonly WhenFull _whenFull;
    private readonly TimeSpan? _timeout;
    private readonly TimeProvider _time;
    private readonly IQueueErrors _errors;
    private readonly ITimer? _timer;
    private readonly Lock _gate = new();
    private readonly WaitingCalls _calls = new();
    private readonly WaitingCalls _callers = new();
    private readonly LinkedList<Taker> _takers = new();
    private readonly AffineTakers _affine = new();
    private Func<Invocation, Exception>? _refuse;
    private int _count;
    private bool _draining;
    private bool _closed;

    public InvocationQueue(int capacity, WhenFull whenFull, TimeSpan? timeout, TimeProvider time, IQueueErrors errors)
    {
        _capacity = capacity;
        _whenFull = whenFull;
        _timeout = timeout;
        _time = time;
        _errors = errors;
        _timer = timeout is null ? null : time.CreateTimer(_ => Expire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How many calls wait for a worker.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Whether no call waits and none will: the pool drains, and is done.</summary>
    public bool IsDrained
    {
        get
        {
            lock (_gate)
            {
                return IsDrained_NeedsLock;
            }
        }
    }

    /// <summary>Makes a taker one of those among which calls with an affinity key are shared out.</summary>
    public void Register(Taker taker)
    {
        lock (_gate)
        {
            _affine.Add(taker);
        }
    }

    /// <summary>Says whether a taker will take calls, now or later. While it will not, its calls are everybody's.</summary>
    public void SetActive(Taker taker, bool isActive)
    {
        lock (_gate)
        {
            taker.IsActive = isActive;
            foreach (var call in isActive ? [] : taker.Own.RemoveAll())
            {
                _count--;
                if (!HandOut_NeedsLock(call))
                {
                    Add_NeedsLock(call, isBack: call.WasPutBack);
                }
            }

            Refill_NeedsLock();
        }
    }

    /// <summary>Queues a call as soon as there is room. The task ends when the call is queued, handed out or settled; it never fails.</summary>
    public Task PutAsync(Invocation call)
    {
        Func<Invocation, Exception>? refuse;
        TaskCompletionSource<Invocation?>? waiting = null;
        lock (_gate)
        {
            refuse = _refuse;
            if (refuse is null)
            {
                call.QueuedAt = _time.GetTimestamp();
                waiting = Claim_NeedsLock(call);
                if (waiting is null && HasRoom_NeedsLock)
                {
                    Add_NeedsLock(call);
                    return Task.CompletedTask;
                }

                if (waiting is null && (_whenFull == WhenFull.Wait || call.Options.IsOfMap))
                {
                    call.Room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    _callers.Add(call);
                    ArmTimer_NeedsLock(call);
                    return call.Room.Task;
                }

                refuse = waiting is null ? Full_NeedsLock() : null;
            }
        }

        if (waiting is not null)
        {
            // What goes on is the taker's loop, up to its next wait: the request is written here.
            waiting.SetResult(call);
        }
        else
        {
            Fail(call, refuse!);
        }

        return Task.CompletedTask;
    }

    /// <summary>Puts a call that was taken but not started back to the head, whatever the capacity. The time since it was taken counts as waiting only if it was moved.</summary>
    /// <param name="call">The call.</param>
    /// <param name="isMoved">It stood behind another one.</param>
    /// <returns>False when it was refused: the queue is closed.</returns>
    public bool PutBack(Invocation call, bool isMoved = false)
    {
        Func<Invocation, Exception>? refuse = null;
        lock (_gate)
        {
            call.Return();
            call.Moved |= isMoved;
            call.QueuedAt += isMoved ? 0 : _time.GetTimestamp() - call.TakenAt;
            call.TakenAt = 0;
            _chunks -= call.Bundle is null ? 0 : 1;
            if (!call.CancellationToken.IsCancellationRequested)
            {
                if (!_closed)
                {
                    if (!HandOut_NeedsLock(call))
                    {
                        Add_NeedsLock(call, isBack: true);
                    }

                    return true;
                }

                refuse = _refuse;
            }
        }

        // A token that was cancelled while nobody held the call: Withdraw found it nowhere.
        if (refuse is null)
        {
            call.Cancel();
        }
        else
        {
            Fail(call, refuse);
        }

        return refuse is null;
    }

    /// <summary>The next call; null when the taker was woken, or when there will be none.</summary>
    public ValueTask<Invocation?> TakeAsync(Taker taker)
    {
        lock (_gate)
        {
            if (taker.Woken)
            {
                taker.Woken = false;
                return default;
            }

            // Those who wait for room come last: there is room as soon as nothing waits that this taker could take.
            if ((WaitingCalls.FirstOf(taker.Own, _calls) ?? (_callers.Count > 0 ? FirstCaller_NeedsLock(taker) : null)) is { } call)
            {
                Remove_NeedsLock(call);
                Take_NeedsLock(call);
                return new ValueTask<Invocation?>(call);
            }

            if (IsDrained_NeedsLock)
            {
                return default;
            }

            taker.Waiting = new TaskCompletionSource<Invocation?>();

            // The one that served last serves next: it is awake, and what it needs is near.
            _takers.AddFirst(taker.Node);
            return new ValueTask<Invocation?>(taker.Waiting.Task);
        }
    }

    /// <summary>Ends a taker's waiting, or its next one.</summary>
    public void Wake(Taker taker)
    {
        lock (_gate)
        {
            if (!taker.IsWaiting)
            {
                taker.Woken = true;
            }
            else
            {
                Continue(Leave_NeedsLock(taker), null);
            }
        }
    }

    /// <summary>Takes a waiting call out and cancels it. Nothing happens to one that was handed out: that is its slot's business.</summary>
    public void Withdraw(Invocation call)
    {
        lock (_gate)
        {
            if (call.QueuedIn is null)
            {
                return;
            }

            Remove_NeedsLock(call);
        }

        call.Cancel();
        call.Room?.TrySetResult();
    }

    /// <summary>Refuses calls from now on, but hands out those that were made before. For good.</summary>
    public void Drain(Func<Invocation, Exception> refuse)
    {
        lock (_gate)
        {
            _refuse = refuse;
            _draining = true;
            ReleaseTakersWhenDrained_NeedsLock();
        }
    }

    /// <summary>Refuses calls from now on, and every call that waits. For good.</summary>
    /// <returns>How many waited.</returns>
    public int Close(Func<Invocation, Exception> refuse)
    {
        lock (_gate)
        {
            _draining = true;
        }

        return Suspend(refuse);
    }

    /// <summary>Refuses calls, and every call that waits, until <see cref="Reopen"/>. Takers go on waiting.</summary>
    /// <returns>How many waited.</returns>
    public int Suspend(Func<Invocation, Exception> refuse)
    {
        List<Invocation> refused;
        lock (_gate)
        {
            _refuse = refuse;
            _closed = true;
            refused = [.. Lists_NeedsLock().SelectMany(calls => calls.RemoveAll())];
            _count = 0;
            ReleaseTakersWhenDrained_NeedsLock();
        }

        foreach (var call in refused)
        {
            Fail(call, refuse);
            call.Room?.TrySetResult();
        }

        return refused.Sum(call => call.Bundle?.Count ?? 1);
    }

    /// <summary>Takes calls again, unless it was closed for good.</summary>
    public void Reopen()
    {
        lock (_gate)
        {
            if (!_draining)
            {
                _refuse = null;
                _closed = false;
            }
        }
    }

    public void Dispose() => _timer?.Dispose();

    // Those that were moved back had their place before.
    private bool HasRoom_NeedsLock => _count - _calls.Moved < _capacity;

    private bool IsDrained_NeedsLock => _draining && _chunks == 0 && _count == 0 && _callers.Count == 0;

    private bool HandOut_NeedsLock(Invocation call)
    {
        if (Claim_NeedsLock(call) is not { } waiting)
        {
            return false;
        }

        Continue(waiting, call);
        return true;
    }

    /// <summary>Takes the call for a taker that waits; what it waits for is to be completed with the call.</summary>
    private TaskCompletionSource<Invocation?>? Claim_NeedsLock(Invocation call)
    {
        var taker = _affine.Of(call) ?? _takers.First?.Value;
        if (taker?.IsWaiting != true)
        {
            return null;
        }

        Take_NeedsLock(call);
        return Leave_NeedsLock(taker);
    }

    private void Add_NeedsLock(Invocation call, bool isBack = false)
    {
        var calls = _affine.Of(call)?.Own ?? _calls;
        if (isBack)
        {
            calls.PutBack(call);
        }
        else
        {
            calls.Add(call);
        }

        _count++;
        ArmTimer_NeedsLock(call);
    }

    private IEnumerable<WaitingCalls> Lists_NeedsLock() => _affine.Calls.Prepend(_callers).Prepend(_calls);

    private void Take_NeedsLock(Invocation call)
    {
        call.TakenAt = _time.GetTimestamp();
        call.Assign();
        _chunks += call.Bundle is null ? 0 : 1;
    }

    private TaskCompletionSource<Invocation?> Leave_NeedsLock(Taker taker)
    {
        _takers.Remove(taker.Node);
        return taker.Waiting!;
    }

    private static void Continue(TaskCompletionSource<Invocation?> waiting, Invocation? call) =>
        ThreadPool.UnsafeQueueUserWorkItem(static state => state.waiting.SetResult(state.call), (waiting, call), preferLocal: false);

    private void ReleaseTakersWhenDrained_NeedsLock()
    {
        while (IsDrained_NeedsLock && _takers.First is { Value: var taker })
        {
            Continue(Leave_NeedsLock(taker), null);
        }
    }

    private void Remove_NeedsLock(Invocation call)
    {
        var isCaller = call.QueuedIn == _callers;
        call.QueuedIn!.Remove(call);
        _count -= isCaller ? 0 : 1;
        if (isCaller)
        {
            call.Room!.TrySetResult();
        }

        Refill_NeedsLock();
    }

    // The callers who come first among those who wait get the room.
    private void Refill_NeedsLock()
    {
        while (HasRoom_NeedsLock && _callers.First is { } next)
        {
            _callers.Remove(next);
            if (!HandOut_NeedsLock(next))
            {
                Add_NeedsLock(next);
            }

            next.Room!.SetResult();
        }

        ReleaseTakersWhenDrained_NeedsLock();
    }
}
