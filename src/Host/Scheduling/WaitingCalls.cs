namespace ProcessPool.Scheduling;

/// <summary>Calls in the order they are to be served: by priority, then first in first out. Not thread-safe; every operation takes constant time where it does not say otherwise, and where calls come in their order.</summary>
internal sealed class WaitingCalls
{
    private readonly LinkedList<Invocation>[] _byPriority = [new(), new(), new()];
    private readonly LinkedListNode<Invocation>?[] _putBackLast = [null, null, null];

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

    /// <summary>How many were moved here from a worker.</summary>
    public int Moved { get; private set; }

    /// <summary>How many may not wait for ever, where waiting is limited: those that are not of a map.</summary>
    public int Limited { get; private set; }

    /// <summary>The first of each priority.</summary>
    public IEnumerable<Invocation> Heads => _byPriority.Select(calls => calls.First?.Value).OfType<Invocation>();

    /// <summary>The first that fits, or null. May look at all of them.</summary>
    public Invocation? FirstOrDefault(Func<Invocation, bool> fits) => Count == 0 ? null : _byPriority.SelectMany(calls => calls).FirstOrDefault(fits);

    /// <summary>
    /// Those from the front of each priority whose waiting is limited: the ones that were put back, which stand before older ones; and of the others those that are due, and the next one. May look at all
    /// that stand before them.
    /// </summary>
    public IEnumerable<Invocation> Front(Func<Invocation, bool> isDue)
    {
        foreach (var calls in Limited == 0 ? [] : _byPriority)
        {
            for (var node = calls.First; node is not null; node = node.Next)
            {
                if (!node.Value.Options.IsOfMap)
                {
                    yield return node.Value;
                    if (!node.Value.WasPutBack && !isDue(node.Value))
                    {
                        break;
                    }
                }
            }
        }
    }

    /// <summary>Adds one behind those that came before it.</summary>
    public void Add(Invocation call)
    {
        var calls = Of(call);
        var before = calls.Last;
        while (before is { Value: { WasPutBack: false } other } && other.QueuedAt > call.QueuedAt)
        {
            // It was another list's: it came before these.
            before = before.Previous;
        }

        Entered(call, before is null ? calls.AddFirst(call) : calls.AddAfter(before, call));
    }

    /// <summary>Adds one that was taken before: in front of those that were not, in the order in which they were made.</summary>
    public void PutBack(Invocation call)
    {
        call.WasPutBack = true;
        var calls = Of(call);
        ref var last = ref _putBackLast[(int)call.Options.Priority];

        // Where the one before was put back: they come by hundreds, one beside the other.
        var behind = last ?? calls.First;
        while (behind is { Value: { WasPutBack: true } other } && other.Request.Id < call.Request.Id)
        {
            behind = behind.Next;
        }

        while ((behind is null ? calls.Last : behind.Previous) is { } before && (!before.Value.WasPutBack || before.Value.Request.Id > call.Request.Id))
        {
            behind = before;
        }

        last = behind is null ? calls.AddLast(call) : calls.AddBefore(behind, call);
        Entered(call, last);
    }

    public void Remove(Invocation call)
    {
        ref var last = ref _putBackLast[(int)call.Options.Priority];
        last = last == call.QueueNode ? null : last;
        Of(call).Remove(call.QueueNode!);
        call.QueueNode = null;
        call.QueuedIn = null;
        Note(call, -1);
    }

    /// <summary>Takes all out.</summary>
    public List<Invocation> RemoveAll()
    {
        List<Invocation> all = [.. _byPriority.SelectMany(calls => calls)];
        all.ForEach(Remove);
        return all;
    }

    private void Entered(Invocation call, LinkedListNode<Invocation> node)
    {
        (call.QueueNode, call.QueuedIn) = (node, this);
        Note(call, 1);
    }

    private void Note(Invocation call, int count)
    {
        Count += count;
        Moved += call.Moved ? count : 0;
        Limited += call.Options.IsOfMap ? 0 : count;
    }

    private LinkedList<Invocation> Of(Invocation call) => _byPriority[(int)call.Options.Priority];
}
