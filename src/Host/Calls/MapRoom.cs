namespace ProcessPool.Calls;

/// <summary>How many items of a map may be under way. One enters, another lets out.</summary>
internal sealed class MapRoom
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiting;
    private int _inside;

    /// <summary>Takes the room of so many items, if there are so many fewer than the limit, or none at all; otherwise of none.</summary>
    public bool TryEnter(int items, int limit)
    {
        lock (_gate)
        {
            var isRoom = IsRoom_NeedsLock(items, limit);
            _inside += isRoom ? items : 0;
            return isRoom;
        }
    }

    /// <summary>Takes the room of so many items as soon as there is.</summary>
    public async ValueTask EnterAsync(int items, int limit, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task left;
            lock (_gate)
            {
                if (IsRoom_NeedsLock(items, limit))
                {
                    _inside += items;
                    return;
                }

                _waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                left = _waiting.Task;
            }

            await left.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Gives back the room of so many items.</summary>
    public void Leave(int items)
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            _inside -= items;
            (waiting, _waiting) = (_waiting, null);
        }

        waiting?.SetResult();
    }

    private bool IsRoom_NeedsLock(int items, int limit) => _inside == 0 || _inside + items <= limit;
}
