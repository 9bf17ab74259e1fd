namespace ProcessPool;

/// <summary>Why a pool does not take or finish a call.</summary>
public enum RejectionReason
{
    /// <summary>The pool was not started.</summary>
    NotStarted,

    /// <summary>The pool is stopping or has stopped.</summary>
    Stopped,

    /// <summary>No worker can be started any more; the inner exception has the last cause.</summary>
    Broken,

    /// <summary>The queue is full, and the pool is set up not to wait (<see cref="WhenFull.Reject"/>).</summary>
    QueueFull,

    /// <summary>The lease was disposed before the call was made.</summary>
    LeaseEnded,

    /// <summary>The worker of the lease is gone, and its state with it; the inner exception says how it died, if it did by itself. Take a new lease.</summary>
    LeaseLost,
}

/// <summary>The pool does not take the call, or stopped before it was finished (then <see cref="SandboxPoolException.Execution"/> tells whether it had begun).</summary>
public sealed class CallRejectedException : SandboxPoolException
{
    internal CallRejectedException(RejectionReason reason, FaultSite site)
        : this(reason, Describe(reason, site), site)
    {
    }

    private CallRejectedException(RejectionReason reason, string message, FaultSite site, Exception? inner = null)
        : base(message, site, inner) => Reason = reason;

    /// <summary>Why.</summary>
    public RejectionReason Reason { get; }

    internal static CallRejectedException Broken(string crashes, FaultSite site, Exception? cause) => new(
        RejectionReason.Broken,
        $"{Subject(site)} was rejected: pool {site.Pool} is broken, its workers died or failed to start too often. Mend the cause, then call Reset(). What happened last:{crashes}",
        site,
        cause);

    internal static CallRejectedException QueueFull(string queue, FaultSite site) => new(
        RejectionReason.QueueFull,
        $"{Subject(site)} was rejected: the queue of pool {site.Pool} is full ({queue}). Make fewer calls at once, add workers, or raise QueueCapacity.",
        site);

    internal static CallRejectedException LeaseLost(FaultSite site, Exception? cause) => new(
        RejectionReason.LeaseLost,
        $"{Subject(site)} was rejected: worker {site.Worker} (pid {site.ProcessId}) of its lease is gone{(cause is null ? ", the pool has ended it" : "")}, and its state with it. Take a new lease.",
        site,
        cause);

    private static string Subject(FaultSite site) => site.EntryPoint is null ? "The call" : $"The call of {site.EntryPoint}";

    private static string Describe(RejectionReason reason, FaultSite site) => reason switch
    {
        RejectionReason.NotStarted => $"{Subject(site)} was rejected: pool {site.Pool} is not started. Await StartAsync first.",
        RejectionReason.LeaseEnded => $"{Subject(site)} was rejected: its lease was disposed. Make the calls of a lease before that.",
        _ when site.Execution == Execution.Started => $"{Subject(site)} was executing when pool {site.Pool} stopped.",
        _ => $"{Subject(site)} was rejected: pool {site.Pool} is stopping or has stopped.",
    };
}
