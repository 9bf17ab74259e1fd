namespace ProcessPool;

/// <summary>What a pool is doing.</summary>
public enum PoolState
{
    /// <summary>Not started yet.</summary>
    Created,

    /// <summary>Workers are being started for the first time.</summary>
    Starting,

    /// <summary>Calls are accepted and every slot has a worker.</summary>
    Running,

    /// <summary>Calls are accepted, but at least one slot has no worker just now.</summary>
    Degraded,

    /// <summary>Workers died or failed to start too often (see <see cref="RestartPolicy"/>). Calls are rejected; <see cref="SandboxPool.Reset"/> tries again.</summary>
    Broken,

    /// <summary>Calls are no longer accepted; workers are being stopped.</summary>
    Stopping,

    /// <summary>Stopped. The pool may be started again.</summary>
    Stopped,
}
