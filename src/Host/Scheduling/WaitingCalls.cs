namespace ProcessPool.Scheduling;

/// <summary>Calls in the order they are to be served: by priority, then first in first out. Not thread-safe; every operation takes constant time but where it says so.</summary>
internal sealed class WaitingCalls
{
    private readonly LinkedList<Invocation>[] _byPriority = [new(), new(), new()];

    public int Count { get; private set; }

    /// <summary>The next to be served, or null.</summary>
    public Invocation? First
    {
        get
        {
            foreach (var calls in _byPriority)
            {
                if (calls.First is { } first)
                {
                    return first.Value;
                }
            }

            return null;
        }
    }

    /// <summary>The next to be served of two lists, or null: by priority, then the one that came first.</summary>
    public static Invocation? FirstOf(WaitingCalls one, WaitingCalls other) => (one.First, other.First) switch
    {
        ({ } left, { } right) when left.Options.Priority != right.Options.Priority => left.Options.Priority < right.Options.Priority ? left : right,
        ({ } left, { } right) => left.QueuedAt <= right.QueuedAt ? left : right,
        var (left, right) => left ?? right,
    };

    /// <summary>The first that fits, or null. The only operation that may look at all of them.</summary>
    public Invocation? FirstOrDefault(Func<Invocation, bool> fits) => Count == 0 ? null : _byPriority.SelectMany(calls => calls).FirstOrDefault(fits);

    /// <summary>Of those that count, the one that waits longest, or null.</summary>
    public Invocation? OldestOf(Func<Invocation, bool> counts) => FromTheOldestOn(counts, _ => false).MinBy(call => call.QueuedAt);

    /// <summary>
    /// Of those that count and of each priority: the ones that were put back, which stand before older ones, and the others as long as they are wanted and one more. Looks at those, too, that stand
    /// before them and do not count.
    /// </summary>
    public IEnumerable<Invocation> FromTheOldestOn(Func<Invocation, bool> counts, Func<Invocation, bool> isWanted)
    {
        foreach (var calls in _byPriority)
        {
            for (var node = calls.First; node is not null; node = node.Next)
            {
                if (!counts(node.Value))
                {
                    continue;
                }

                yield return node.Value;
                if (!node.Value.WasPutBack && !isWanted(node.Value))
                {
                    break;
                }
            }
        }
    }

    public void AddLast(Invocation call)
    {
        call.QueueNode = Of(call).AddLast(call);
        call.QueuedIn = this;
        Count++;
    }

    public void AddFirst(Invocation call)
    {
        call.QueueNode = Of(call).AddFirst(call);
        call.QueuedIn = this;
        Count++;
    }

    public void Remove(Invocation call)
    {
        Of(call).Remove(call.QueueNode!);
        call.QueueNode = null;
        call.QueuedIn = null;
        Count--;
    }

    /// <summary>Takes all out.</summary>
    public List<Invocation> RemoveAll()
    {
        List<Invocation> all = [.. _byPriority.SelectMany(calls => calls)];
        all.ForEach(Remove);
        return all;
    }

    private LinkedList<Invocation> Of(Invocation call) => _byPriority[(int)call.Options.Priority];
}
