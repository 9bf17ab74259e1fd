namespace ProcessPool.Calls;

/// <summary>Items of a map that are under way together, and their outcomes as they come. Outcomes are taken by one.</summary>
internal abstract class OutcomeSource<T>
{
    private Action<OutcomeSource<T>> _signal = null!;
    private int _isSignalled;

    /// <summary>Whether all outcomes were taken.</summary>
    public abstract bool IsTaken { get; }

    /// <summary>After how many outcomes their room is given back, at the latest.</summary>
    public virtual int TakesBeforeLeaving => 1;

    /// <summary>Takes the next outcome that is there.</summary>
    /// <param name="inOrder">Whether that must be the one after the last one taken.</param>
    /// <param name="outcome">The outcome.</param>
    public abstract bool TryTake(bool inOrder, out CallOutcome<T> outcome);

    /// <summary>Ends when the queue has taken it, or refused it, as far as that is to be waited for. Never fails.</summary>
    public virtual Task Queued => Task.CompletedTask;

    /// <summary>Ends when all outcomes are there. Never fails.</summary>
    public abstract Task RunAsync();

    /// <summary>Whom to tell that outcomes are there.</summary>
    public void TellOf(Action<OutcomeSource<T>> signal) => _signal = signal;

    /// <summary>What was told of is being looked at: from now on it is told of again.</summary>
    public void Looked() => Interlocked.Exchange(ref _isSignalled, 0);

    /// <summary>Outcomes are there.</summary>
    protected void Progress()
    {
        if (Interlocked.Exchange(ref _isSignalled, 1) == 0)
        {
            _signal(this);
        }
    }
}

/// <summary>One item.</summary>
internal sealed class SingleOutcome<T>(Task<CallOutcome<T>> outcome) : OutcomeSource<T>
{
    private bool _isTaken;

    public override bool IsTaken => _isTaken;

    public override bool TryTake(bool inOrder, out CallOutcome<T> taken)
    {
        taken = default;
        if (_isTaken || !outcome.IsCompleted)
        {
            return false;
        }

        _isTaken = true;
        taken = outcome.Result;
        return true;
    }

    public override async Task RunAsync()
    {
        await outcome.ConfigureAwait(false);
        Progress();
    }
}
