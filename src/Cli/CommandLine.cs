namespace ProcessPool.Cli;

/// <summary>A command line as one would type it.</summary>
internal static class CommandLine
{
    private const string Plain = "%+,-./:=@_";

    /// <summary>The arguments for a shell, with one more at their end unless it is there.</summary>
    public static string Of(IEnumerable<string> arguments, string further)
    {
        var all = arguments.ToList();
        return string.Join(' ', (all.Contains(further) ? all : [.. all, further]).Select(Quoted).Prepend("processpool"));
    }

    private static string Quoted(string argument) =>
        argument.Length > 0 && argument.All(each => char.IsAsciiLetterOrDigit(each) || Plain.Contains(each, StringComparison.Ordinal)) ? argument : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
