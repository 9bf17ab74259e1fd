namespace ProcessPool;

/// <summary>
/// When a healthy worker is replaced by a fresh one, to give back what it has leaked. One worker of the pool at a time; the replacement is ready before the old
/// worker leaves, and no call is disturbed.
/// </summary>
public sealed record RecyclePolicy
{
    /// <summary>
    /// After so many calls, at least 1. It serves on until its replacement is ready, and one is made ready at a time: how many more it serves depends on how fast they come. Short items of a map or a batch come
    /// to it together, a tenth of this number at once at most. Default: null, never.
    /// </summary>
    public int? AfterCalls { get; init; }

    /// <summary>After so long a life, since the worker was ready. Above zero and at most 24 days. Default: null, never.</summary>
    public TimeSpan? AfterLifetime { get; init; }

    /// <summary>After so long without a call, if it has served one. Above zero and at most 24 days. Default: null, never.</summary>
    public TimeSpan? AfterIdle { get; init; }

    /// <summary>
    /// When its process uses more memory than this after a call, in bytes of resident memory, at least 1. No call is ended for it; for a hard limit see
    /// <see cref="SandboxPoolOptions.MemoryLimit"/>. Default: null, never. Not in debug mode.
    /// </summary>
    public long? AboveMemory { get; init; }

    /// <summary>After a call failed with <see cref="OutOfMemoryException"/>: what else failed in that process is unknown. Default: true.</summary>
    public bool AfterOutOfMemory { get; init; } = true;

    /// <summary>By how much each worker's calls, lifetime and idle time vary, so that they do not leave together: 0 to 1. Default: 0.1, plus or minus 10 %.</summary>
    public double Jitter { get; init; } = 0.1;

    internal IEnumerable<string> Faults(long? memoryLimit)
    {
        if (AfterCalls < 1)
        {
            yield return $"Recycle.AfterCalls is {AfterCalls}; it must be at least 1.";
        }

        foreach (var (name, value) in new[] { (nameof(AfterLifetime), AfterLifetime), (nameof(AfterIdle), AfterIdle) })
        {
            if (value <= TimeSpan.Zero || value > PoolSettings.Longest)
            {
                yield return $"Recycle.{name} is {value}; it must be above zero and at most {PoolSettings.Longest.Days} days.";
            }
        }

        if (AboveMemory < 1)
        {
            yield return $"Recycle.AboveMemory is {AboveMemory}; it must be at least 1.";
        }

        if (AboveMemory >= memoryLimit)
        {
            yield return $"Recycle.AboveMemory is {AboveMemory}, but workers are killed at MemoryLimit, {memoryLimit}: it must be lower.";
        }

        if (Jitter is not (>= 0 and <= 1))
        {
            yield return $"Recycle.Jitter is {Jitter}; it must be from 0 to 1.";
        }
    }
}
