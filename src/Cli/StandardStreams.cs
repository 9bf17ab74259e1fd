using System.Globalization;

namespace ProcessPool.Cli;

/// <summary>Whether the program was started with its standard streams.</summary>
internal static class StandardStreams
{
    private const int CloseOnExec = 0x80000;

    /// <summary>
    /// Whether a stream was closed when the program was started (<c>&lt;&amp;-</c> in a shell). The runtime then has something of its own under the number, and to read that would wait for ever.
    /// What was inherited is not closed at an execution, by which it is told. Linux only; false elsewhere.
    /// </summary>
    /// <param name="descriptor">0, 1 or 2.</param>
    public static bool IsClosed(int descriptor)
    {
        try
        {
            const string Flags = "flags:";
            return OperatingSystem.IsLinux()
                && File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{descriptor}")).FirstOrDefault(line => line.StartsWith(Flags, StringComparison.Ordinal)) is { } flags
                && (Convert.ToInt32(flags[Flags.Length..].Trim(), 8) & CloseOnExec) != 0;
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return false;
        }
    }
}
