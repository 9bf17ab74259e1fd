namespace ProcessPool.Scheduling;

/// <summary>Whoever takes calls out of a queue, one at a time. It can be woken from waiting, by anyone, to look after something else.</summary>
internal sealed class Taker
{
    private readonly InvocationQueue _queue;

    public Taker(InvocationQueue queue)
    {
        _queue = queue;
        Node = new LinkedListNode<Taker>(this);
    }

    /// <summary>The queue's own bookkeeping: set while it waits.</summary>
    public TaskCompletionSource<Invocation?>? Waiting { get; set; }

    /// <summary>The queue's own bookkeeping: its place among those who wait, in the list while it does.</summary>
    public LinkedListNode<Taker> Node { get; }

    /// <summary>The queue's own bookkeeping: it waits.</summary>
    public bool IsWaiting => Node.List is not null;

    /// <summary>The queue's own bookkeeping: calls that only this taker is to get, because of their affinity.</summary>
    public WaitingCalls Own { get; } = new();

    /// <summary>The queue's own bookkeeping: it takes calls, now or later.</summary>
    public bool IsActive { get; set; } = true;

    /// <summary>The queue's own bookkeeping: it was woken while it did not wait.</summary>
    public bool Woken { get; set; }

    /// <summary>The next call; null when it was woken, or when there will be none.</summary>
    public ValueTask<Invocation?> TakeAsync() => _queue.TakeAsync(this);

    /// <summary>Ends its waiting, or the next waiting if it does not wait now.</summary>
    public void Wake() => _queue.Wake(this);
}
