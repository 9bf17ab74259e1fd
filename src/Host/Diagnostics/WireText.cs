using ProcessPool.Protocol;

namespace ProcessPool.Diagnostics;

/// <summary>A sandbox's text on its way to a log or a terminal.</summary>
internal static class WireText
{
    /// <summary>At most so long, without control characters, and no line in it that looks like somebody else's.</summary>
    public static string Of(string? text, int length)
    {
        var cut = text is null ? "" : text.Length <= length ? text : text[..length];
        return Clean(cut).Replace("\n", "\n    ", StringComparison.Ordinal);
    }

    /// <summary>Whether a terminal or a viewer obeys it in place of showing it: control characters, line separators, and what turns the direction of all that follows (https://www.unicode.org/reports/tr9/, embeddings, overrides and isolates).</summary>
    public static bool IsObeyed(char character) => char.IsControl(character) || character is '\u2028' or '\u2029' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    /// <summary>Without control characters, which a terminal would obey; lines and tabs stay.</summary>
    public static string Clean(string text) => string.Create(text.Length, text, (span, source) =>
    {
        for (var i = 0; i < span.Length; i++)
        {
            span[i] = IsObeyed(source[i]) && source[i] is not ('\n' or '\t') ? ' ' : source[i];
        }
    });

    /// <summary>The same on one line.</summary>
    public static string Line(string? text) => Of(text, WireLimits.MaxErrorMessage).Replace("\n", " ", StringComparison.Ordinal);
}
