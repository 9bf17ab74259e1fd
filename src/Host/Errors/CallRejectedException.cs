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
}

/// <summary>The pool does not take the call, or stopped before it was finished (then <see cref="SandboxPoolException.Execution"/> tells whether it had begun).</summary>
public sealed class CallRejectedException : SandboxPoolException
{
    internal CallRejectedException(RejectionReason reason, FaultSite site, Exception? inner = null)
        : base(Describe(reason, site, inner), site, inner) => Reason = reason;

    /// <summary>Why.</summary>
    public RejectionReason Reason { get; }

    private static string Describe(RejectionReason reason, FaultSite site, Exception? inner)
    {
        var call = site.EntryPoint is null ? "The call" : $"The call of {site.EntryPoint}";
        return reason switch
        {
            RejectionReason.NotStarted => $"{call} was rejected: pool {site.Pool} is not started. Await StartAsync first.",
            RejectionReason.Stopped when site.Execution == Execution.Started => $"{call} was executing when pool {site.Pool} stopped.",
            RejectionReason.Stopped => $"{call} was rejected: pool {site.Pool} is stopping or has stopped.",
            _ => $"{call} was rejected: pool {site.Pool} is broken, no worker can be started. Last cause: {inner?.Message}",
        };
    }
}
