namespace ProcessPool;

/// <summary>What a call was doing when its time was up.</summary>
public enum TimeoutPhase
{
    /// <summary>It waited for a worker: see <see cref="SandboxPoolOptions.QueueTimeout"/>.</summary>
    Queue,

    /// <summary>It executed: see <see cref="SandboxPoolOptions.CallTimeout"/>.</summary>
    Execute,
}

/// <summary>The call waited or executed too long. If it executed, its worker was replaced; other calls are unharmed.</summary>
public sealed class CallTimeoutException : SandboxPoolException
{
    private CallTimeoutException(string message, TimeoutPhase phase, TimeSpan timeout, FaultSite site)
        : base(message, site)
    {
        Phase = phase;
        Timeout = timeout;
    }

    /// <summary>What it was doing.</summary>
    public TimeoutPhase Phase { get; }

    /// <summary>The limit that was exceeded.</summary>
    public TimeSpan Timeout { get; }

    internal static CallTimeoutException WhileExecuting(TimeSpan timeout, FaultSite site) => new(
        $"{site.EntryPoint} did not end within {timeout} on worker {site.Worker}, which is replaced. Raise CallTimeout if the call is just slow.",
        TimeoutPhase.Execute, timeout, site);

    internal static CallTimeoutException WhileQueued(TimeSpan timeout, string queue, FaultSite site) => new(
        $"{site.EntryPoint} found no free worker within {timeout} ({queue}). Add workers, raise QueueTimeout, or make fewer calls at once.",
        TimeoutPhase.Queue, timeout, site);
}
