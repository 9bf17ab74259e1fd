namespace ProcessPool.Calls;

/// <summary>How many items of a map may be under way. One enters, another lets out.</summary>
internal sealed class MapRoom
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiting;
    private int _inside;

    /// <summary>Takes the room of one item, as soon as there are fewer than so many.</summary>
    public ValueTask EnterAsync(int limit, CancellationToken cancellationToken) => TryEnter(limit) ? default : WaitAsync(limit, cancellationToken);

    /// <summary>Takes the room of one item, if there are fewer than so many.</summary>
    public bool TryEnter(int limit)
    {
        lock (_gate)
        {
            if (_inside >= limit)
            {
                return false;
            }

            _inside++;
            return true;
        }
    }

    /// <summary>Gives back the room of one item.</summary>
    public void Leave()
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            _inside--;
            (waiting, _waiting) = (_waiting, null);
        }

        waiting?.SetResult();
    }

    private async ValueTask WaitAsync(int limit, CancellationToken cancellationToken)
    {
        do
        {
            Task left;
            lock (_gate)
            {
                if (_inside < limit)
                {
                    continue;
                }

                _waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                left = _waiting.Task;
            }

            await left.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        while (!TryEnter(limit));
    }
}
