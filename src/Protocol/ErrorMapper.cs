using System.Reflection;

namespace ProcessPool.Protocol;

/// <summary>Exceptions as text, bounded in length and depth. Code that is not ours may throw from its exceptions' properties.</summary>
internal static class ErrorMapper
{
    public static RemoteError Map(Exception exception) => Map(Unwrap(exception), WireLimits.MaxInnerErrors);

    /// <summary>Type and message only: where the host's code is does not concern a plugin.</summary>
    public static RemoteError MapForPlugin(Exception exception) => Map(exception, 0) with { StackTrace = "" };

    private static RemoteError Map(Exception exception, int depth) => new(
        Read(() => exception.GetType().FullName, WireLimits.MaxErrorMessage),
        Read(() => exception.Message, WireLimits.MaxErrorMessage),
        Read(() => exception.StackTrace, WireLimits.MaxStackTrace),
        depth > 0 && exception.InnerException is { } inner ? Map(inner, depth - 1) : null);

    // "Unable to load one or more types" says nothing; the first loader exception names the assembly.
    private static Exception Unwrap(Exception exception) =>
        exception is ReflectionTypeLoadException { LoaderExceptions: [{ } first, ..] } ? first : exception;

    private static string Read(Func<string?> property, int maxLength)
    {
        try
        {
            var text = property() ?? "";
            return text.Length <= maxLength ? text : text[..maxLength] + "…";
        }
        catch (Exception exception)
        {
            return $"(reading it threw {exception.GetType().Name})";
        }
    }
}
