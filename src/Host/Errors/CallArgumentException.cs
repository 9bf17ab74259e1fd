namespace ProcessPool;

/// <summary>
/// The arguments or the result of a call do not fit: an unknown entry point, a wrong count or type, something that cannot be
/// serialized or is above the cap. Only this call fails. <see cref="SandboxPoolException.Execution"/> is <see cref="Execution.Started"/> when it is about the result.
/// </summary>
public sealed class CallArgumentException : SandboxPoolException
{
    internal CallArgumentException(string message, FaultSite site, Exception? inner = null)
        : base(message, site, inner)
    {
    }
}
