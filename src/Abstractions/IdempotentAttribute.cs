namespace ProcessPool;

/// <summary>
/// Declares that an entry point may be executed more than once for one call without harm. Only such calls are made again after a crash, and only when
/// the host asks for it (<c>SandboxPoolOptions.Retries</c>, <c>CallOptions.Retries</c>).
/// </summary>
/// <remarks>On a static entry point, on a method of a contract interface, or on the method of the class that implements it. Read in the plugin, not in the host's copy of the contract.</remarks>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class IdempotentAttribute : Attribute;
