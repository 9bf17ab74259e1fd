namespace ProcessPool;

/// <summary>Whether a worker that ended without being asked to is replaced.</summary>
public enum RestartMode
{
    /// <summary>However it ended.</summary>
    Always,

    /// <summary>Unless it exited with code 0 while it was idle: the plugin's way to say that it is done.</summary>
    OnCrash,

    /// <summary>Never. A pool without workers is broken.</summary>
    Never,
}

/// <summary>What becomes of the pool when a slot has used up its restarts.</summary>
public enum ExhaustedAction
{
    /// <summary>It goes on with the other slots, <see cref="PoolState.Degraded"/>; without any it is broken.</summary>
    KeepRemaining,

    /// <summary>It is <see cref="PoolState.Broken"/> at once.</summary>
    BreakPool,
}

/// <summary>
/// How workers that died are replaced: the first at once, each further one without a completed call in between after a longer wait. A completed
/// call clears the count, so an input that crashes now and then costs its own calls only. Workers that the pool ends itself (timeout, cancellation,
/// recycling) are always replaced and never counted.
/// </summary>
public sealed record RestartPolicy
{
    /// <summary>Which workers are replaced. Default: <see cref="RestartMode.Always"/>.</summary>
    public RestartMode Mode { get; init; } = RestartMode.Always;

    /// <summary>How many restarts a slot has within <see cref="Window"/> without a completed call. At least 0. Default: 5.</summary>
    public int MaxRestarts { get; init; } = 5;

    /// <summary>The span in which restarts are counted. Above zero and at most 24 days. Default: 60 s.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The wait before the second restart; doubled for each further one, plus or minus 20 %. From zero to 24 days. Default: 100 ms.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait, before the 20 %. From <see cref="FirstDelay"/> to 24 days. Default: 10 s.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What happens when the restarts are used up. Default: <see cref="ExhaustedAction.KeepRemaining"/>.</summary>
    public ExhaustedAction WhenExhausted { get; init; } = ExhaustedAction.KeepRemaining;

    internal IEnumerable<string> Faults()
    {
        if (!Enum.IsDefined(Mode))
        {
            yield return $"Restart.Mode is {Mode}; it must be Always, OnCrash or Never.";
        }

        if (!Enum.IsDefined(WhenExhausted))
        {
            yield return $"Restart.WhenExhausted is {WhenExhausted}; it must be KeepRemaining or BreakPool.";
        }

        if (MaxRestarts < 0)
        {
            yield return $"Restart.MaxRestarts is {MaxRestarts}; it must be at least 0.";
        }

        if (Window <= TimeSpan.Zero || Window > PoolSettings.Longest)
        {
            yield return $"Restart.Window is {Window}; it must be above zero and at most {PoolSettings.Longest.Days} days.";
        }

        if (FirstDelay < TimeSpan.Zero || FirstDelay > PoolSettings.Longest)
        {
            yield return $"Restart.FirstDelay is {FirstDelay}; it must be from zero to {PoolSettings.Longest.Days} days.";
        }

        if (MaxDelay < FirstDelay || MaxDelay > PoolSettings.Longest)
        {
            yield return $"Restart.MaxDelay is {MaxDelay}; it must be from Restart.FirstDelay ({FirstDelay}) to {PoolSettings.Longest.Days} days.";
        }
    }
}
