namespace ProcessPool.Protocol.Transport;

/// <summary>Is offered the result of a call that succeeded, without attachments and the like.</summary>
/// <returns>Whether it took it; otherwise it comes again, as a message.</returns>
internal delegate bool PlainReply(int index, ReadOnlySpan<byte> json);

/// <summary>A request that is answered many times, by the ids from its own on.</summary>
/// <param name="count">How many answers there will be.</param>
/// <param name="reply">Takes each, on the thread that reads.</param>
/// <param name="plain">Is offered some of them first.</param>
/// <param name="received">Told when all that was read at once has been handed over.</param>
internal sealed class ManyReplies(int count, Action<int, object?> reply, PlainReply? plain = null, Action? received = null)
{
    private readonly TaskCompletionSource _done = new();
    private readonly bool[] _answered = new bool[count];
    private int _left = count;

    public int Count => _answered.Length;

    public long First { get; set; }

    /// <summary>Continues on the thread that takes the last answer.</summary>
    public Task Done => _done.Task;

    /// <summary>Whether this answer is one that is still waited for.</summary>
    public bool Has(long id) => id >= First && id < First + _answered.Length && !_answered[id - First];

    /// <returns>Whether it was the last one.</returns>
    public bool Take(long id, object? result)
    {
        var index = (int)(id - First);
        _answered[index] = true;
        reply(index, result);
        return --_left == 0;
    }

    /// <param name="id">The answer's.</param>
    /// <param name="json">What it is.</param>
    /// <param name="isLast">Whether it was the last one.</param>
    /// <returns>Whether it was taken.</returns>
    public bool TryTake(long id, ReadOnlySpan<byte> json, out bool isLast)
    {
        isLast = false;
        var index = (int)(id - First);
        if (plain is null || !Has(id) || !plain(index, json))
        {
            return false;
        }

        _answered[index] = true;
        isLast = --_left == 0;
        return true;
    }

    public void Received() => received?.Invoke();

    public void Complete()
    {
        Received();
        _done.TrySetResult();
    }

    public void Fail(Exception exception) => _done.TrySetException(exception);
}
