namespace ProcessPool;

/// <summary>
/// Thrown in a plugin when the host could not do what it was asked for: a service that it does not expose, arguments that do not fit, or the
/// service's own code (or the stream that the caller passed) threw.
/// </summary>
/// <param name="remoteType">The full name of the exception's type in the host, or "" when the host refused.</param>
/// <param name="message">What went wrong.</param>
public sealed class HostServiceException(string remoteType, string message) : Exception(message)
{
    /// <summary>The full name of the exception's type in the host, or "" when the host refused the call.</summary>
    public string RemoteType { get; } = remoteType;
}
