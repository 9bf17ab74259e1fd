namespace ProcessPool;

/// <summary>Which calls go first. Strictly: as long as calls of a higher priority wait, lower ones do too.</summary>
public enum CallPriority
{
    /// <summary>Before all others.</summary>
    High,

    /// <summary>The default.</summary>
    Normal,

    /// <summary>When nothing else waits.</summary>
    Low,
}

/// <summary>What one call has different from the pool's options.</summary>
public sealed record CallOptions
{
    /// <summary>Its place in the queue. Default: <see cref="CallPriority.Normal"/>. First in, first out within a priority.</summary>
    public CallPriority Priority { get; init; } = CallPriority.Normal;

    /// <summary>How long it may execute, instead of <see cref="SandboxPoolOptions.CallTimeout"/>. Above zero and at most 24 days; null: as the pool says.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Calls with equal keys go to the same worker as long as it lives, so that what it keeps in memory for them is used again. They wait for it even when others are
    /// idle. Compared ordinally. Has no effect within a lease. Default: null, any worker.
    /// </summary>
    public string? AffinityKey { get; init; }

    /// <summary>
    /// How often the call may be made again when its worker died while executing it, instead of <see cref="SandboxPoolOptions.Retries"/>. Only calls of entry points
    /// with <see cref="IdempotentAttribute"/> are. From 0 to 3; null: as the pool says.
    /// </summary>
    public int? Retries { get; init; }

    /// <summary>
    /// Whether it is an item of a map, which paces itself: it waits for its place in the queue and for a worker, whatever the pool says of a full queue and of waiting. How far the map reads ahead is no sign of overload.
    /// </summary>
    internal bool IsOfMap { get; init; }

    internal static CallOptions Default { get; } = new();

    /// <exception cref="ArgumentException">A value is out of range.</exception>
    internal void Check()
    {
        if (Timeout <= TimeSpan.Zero || Timeout > PoolSettings.Longest)
        {
            throw new ArgumentException($"CallOptions.Timeout is {Timeout}; it must be above zero and at most {PoolSettings.Longest.Days} days.");
        }

        if (Retries is < 0 or > PoolSettings.MaxRetries)
        {
            throw new ArgumentException($"CallOptions.Retries is {Retries}; it must be from 0 to {PoolSettings.MaxRetries}.");
        }

        if (!Enum.IsDefined(Priority))
        {
            throw new ArgumentException($"CallOptions.Priority is {Priority}; it must be High, Normal or Low.");
        }
    }
}
