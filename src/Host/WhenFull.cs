namespace ProcessPool;

/// <summary>What happens to a call when the queue is full.</summary>
public enum WhenFull
{
    /// <summary>Its caller waits for room.</summary>
    Wait,

    /// <summary>It fails at once with <see cref="CallRejectedException"/>. The calls of a map wait all the same: it reads its input only as fast as there is room.</summary>
    Reject,
}
