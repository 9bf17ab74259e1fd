namespace ProcessPool;

/// <summary>The call executed longer than <see cref="SandboxPoolOptions.CallTimeout"/>. Its worker was replaced; other calls are unharmed.</summary>
public sealed class CallTimeoutException : SandboxPoolException
{
    internal CallTimeoutException(TimeSpan timeout, FaultSite site)
        : base($"{site.EntryPoint} did not end within {timeout} on worker {site.Worker}, which is replaced. Raise CallTimeout if the call is just slow.", site) =>
        Timeout = timeout;

    /// <summary>The limit that was exceeded.</summary>
    public TimeSpan Timeout { get; }
}
