using System.Globalization;
using ProcessPool.Protocol;

namespace ProcessPool.Sandbox.Serving;

/// <summary>Names and values that a plugin gives to a span or to what it logs, as they travel: bounded, and without objects of the plugin's.</summary>
internal static class Tags
{
    /// <summary>As many as may travel.</summary>
    public static TagMessage[] Of(IEnumerable<KeyValuePair<string, object?>> tags) =>
        [.. tags.Where(tag => tag is { Key: not null, Value: not null }).Take(WireLimits.MaxTags).Select(tag => new TagMessage(Cut(tag.Key), Value(tag.Value!)))];

    /// <summary>A name, or a text among the values.</summary>
    public static string Cut(string text) => ForeignText.Cut(text, WireLimits.MaxTagText);

    /// <summary>An object as text, cut like one.</summary>
    public static string Text(object value) => ForeignText.Read(() => value is IFormattable formattable ? formattable.ToString(null, CultureInfo.InvariantCulture) : value.ToString(), WireLimits.MaxTagText);

    private static object Value(object value) => value switch
    {
        string text => Cut(text),
        bool or long or double => value,
        int or short or byte or sbyte or ushort or uint => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        float number => (double)number,
        string[] texts => Cut(string.Join(',', texts)),
        _ => Text(value),
    };
}
