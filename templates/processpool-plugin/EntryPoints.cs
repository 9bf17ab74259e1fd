using ProcessPool;

namespace CompanyPlugin;

/// <summary>What a host can call by name, such as <c>await pool.InvokeAsync&lt;int&gt;("CountWords", ["to be or not to be"])</c>.</summary>
public static class EntryPoints
{
    /// <summary>Counts the words of a text.</summary>
    /// <param name="text">The text; words are separated by white space.</param>
    /// <param name="cancellationToken">Supplied by the sandbox, cancelled when the caller gives up.</param>
    [EntryPoint]
    public static int CountWords(string text, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(text);
        cancellationToken.ThrowIfCancellationRequested();
        return text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
    }
}
