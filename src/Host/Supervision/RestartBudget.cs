namespace ProcessPool.Supervision;

/// <summary>
/// How often and how fast one place may start workers. Deaths without a completed call between them count; so do, apart, starts that fail.
/// Not thread-safe: it belongs to one loop.
/// </summary>
internal sealed class RestartBudget(RestartPolicy policy, TimeProvider time)
{
    /// <summary>Failed starts in a row after which a place is given up.</summary>
    public const int MaxStartFailures = 5;

    private const double Jitter = 0.2;

    private readonly Queue<long> _deaths = new();
    private int _deathsInARow;
    private int _startFailures;

    /// <summary>A call was completed: what happened before is forgiven.</summary>
    public void Forgive()
    {
        _deaths.Clear();
        _deathsInARow = 0;
    }

    /// <summary>A worker is ready.</summary>
    public void Started() => _startFailures = 0;

    /// <summary>A worker died that nobody had asked to.</summary>
    /// <returns>How long to wait before the next start; null when there is to be none.</returns>
    public TimeSpan? AfterDeath(bool clean)
    {
        if (policy.Mode == RestartMode.Never || policy.Mode == RestartMode.OnCrash && clean)
        {
            return null;
        }

        _deaths.Enqueue(time.GetTimestamp());
        while (_deaths.Count > 0 && time.GetElapsedTime(_deaths.Peek()) > policy.Window)
        {
            _deaths.Dequeue();
        }

        _deathsInARow++;
        return _deaths.Count > policy.MaxRestarts ? null : Wait(_deathsInARow - 1);
    }

    /// <summary>A worker could not be started.</summary>
    /// <returns>How long to wait before the next attempt; null when there is to be none.</returns>
    public TimeSpan? AfterStartFailure() => ++_startFailures >= MaxStartFailures ? null : Wait(_startFailures);

    /// <summary>The wait before the nth attempt that is not at once, without jitter.</summary>
    internal static TimeSpan Delay(RestartPolicy policy, int n) =>
        n <= 0 ? TimeSpan.Zero : TimeSpan.FromTicks((long)Math.Min(policy.MaxDelay.Ticks, policy.FirstDelay.Ticks * Math.Pow(2, n - 1)));

    private TimeSpan Wait(int n) => Delay(policy, n) * (1 + Jitter * (2 * Random.Shared.NextDouble() - 1));
}
