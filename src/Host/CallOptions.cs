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

    internal static CallOptions Default { get; } = new();

    /// <exception cref="ArgumentException">A value is out of range.</exception>
    internal void Check()
    {
        if (Timeout <= TimeSpan.Zero || Timeout > PoolSettings.Longest)
        {
            throw new ArgumentException($"CallOptions.Timeout is {Timeout}; it must be above zero and at most {PoolSettings.Longest.Days} days.");
        }

        if (!Enum.IsDefined(Priority))
        {
            throw new ArgumentException($"CallOptions.Priority is {Priority}; it must be High, Normal or Low.");
        }
    }
}
