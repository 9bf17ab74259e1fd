namespace ProcessPool.Scheduling;

/// <summary>Whoever takes calls out of a queue, one at a time. It can be woken from waiting, by anyone, to look after something else.</summary>
internal sealed class Taker(InvocationQueue queue)
{
    /// <summary>The queue's own bookkeeping: set while it waits.</summary>
    public TaskCompletionSource<Invocation?>? Waiting { get; set; }

    /// <summary>The queue's own bookkeeping: where it stands among those who wait.</summary>
    public LinkedListNode<Taker>? Node { get; set; }

    /// <summary>The queue's own bookkeeping: calls that only this taker is to get, because of their affinity.</summary>
    public WaitingCalls Own { get; } = new();

    /// <summary>The queue's own bookkeeping: it takes calls, now or later.</summary>
    public bool IsActive { get; set; } = true;

    /// <summary>The queue's own bookkeeping: it was woken while it did not wait.</summary>
    public bool Woken { get; set; }

    /// <summary>The next call; null when it was woken, or when there will be none.</summary>
    public ValueTask<Invocation?> TakeAsync() => queue.TakeAsync(this);

    /// <summary>Ends its waiting, or the next waiting if it does not wait now.</summary>
    public void Wake() => queue.Wake(this);
}
