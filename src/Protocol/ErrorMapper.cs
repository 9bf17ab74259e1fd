using System.Reflection;

namespace ProcessPool.Protocol;

/// <summary>Exceptions as text, bounded in length and depth.</summary>
internal static class ErrorMapper
{
    /// <param name="exception">What was thrown.</param>
    /// <param name="hint">What else is known about it, or null.</param>
    public static RemoteError Map(Exception exception, string? hint = null)
    {
        var error = Map(Unwrap(exception), WireLimits.MaxInnerErrors);
        return hint is null ? error : error with { Message = ForeignText.Cut($"{error.Message} {hint}", WireLimits.MaxErrorMessage) };
    }

    /// <summary>Type and message only: where the host's code is does not concern a plugin.</summary>
    public static RemoteError MapForPlugin(Exception exception) => Map(exception, 0) with { StackTrace = "" };

    private static RemoteError Map(Exception exception, int depth) => new(
        ForeignText.Read(() => exception.GetType().FullName, WireLimits.MaxErrorMessage),
        ForeignText.Read(() => exception.Message, WireLimits.MaxErrorMessage),
        ForeignText.Read(() => exception.StackTrace, WireLimits.MaxStackTrace),
        depth > 0 && exception.InnerException is { } inner ? Map(inner, depth - 1) : null);

    // "Unable to load one or more types" says nothing; the first loader exception names the assembly.
    private static Exception Unwrap(Exception exception) =>
        exception is ReflectionTypeLoadException { LoaderExceptions: [{ } first, ..] } ? first : exception;
}
