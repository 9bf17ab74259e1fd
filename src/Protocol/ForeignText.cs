namespace ProcessPool.Protocol;

/// <summary>Texts that code makes which is not ours: they may be long, and making them may throw.</summary>
internal static class ForeignText
{
    /// <summary>Makes one.</summary>
    /// <param name="make">Runs the foreign code. Null is "".</param>
    /// <param name="maxLength">The most that is kept of it, in characters.</param>
    public static string Read(Func<string?> make, int maxLength)
    {
        try
        {
            return Cut(make() ?? "", maxLength);
        }
        catch (Exception exception)
        {
            return $"(reading it threw {exception.GetType().Name})";
        }
    }

    /// <summary>The beginning of a text, with a sign if that is not all.</summary>
    public static string Cut(string text, int maxLength) => text.Length <= maxLength ? text : text[..maxLength] + "…";
}
