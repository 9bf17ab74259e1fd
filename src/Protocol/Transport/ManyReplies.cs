namespace ProcessPool.Protocol.Transport;

/// <summary>A request that is answered many times, by the ids from its own on.</summary>
/// <param name="first">The first id.</param>
/// <param name="count">How many.</param>
/// <param name="reply">Takes each answer.</param>
internal sealed class ManyReplies(long first, int count, Action<int, object?> reply)
{
    private readonly TaskCompletionSource _done = new();
    private readonly bool[] _answered = new bool[count];
    private int _left = count;

    public long First => first;

    /// <summary>Continues on the thread that takes the last answer.</summary>
    public Task Done => _done.Task;

    /// <summary>Whether this answer is one that is still waited for.</summary>
    public bool Has(long id) => id >= first && id < first + _answered.Length && !_answered[id - first];

    /// <returns>Whether it was the last one.</returns>
    public bool Take(long id, object? result)
    {
        var index = (int)(id - first);
        _answered[index] = true;
        reply(index, result);
        return --_left == 0;
    }

    public void Complete() => _done.TrySetResult();

    public void Fail(Exception exception) => _done.TrySetException(exception);
}
