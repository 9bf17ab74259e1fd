namespace ProcessPool;

/// <summary>A sandbox process could not be started, or did not finish its handshake. The message says at which stage, and what it printed last.</summary>
public sealed class WorkerStartException : SandboxPoolException
{
    internal WorkerStartException(string message, FaultSite site, Exception? inner = null)
        : base(message, site, inner)
    {
    }
}
