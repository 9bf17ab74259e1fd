using System.Globalization;
using Microsoft.Extensions.Configuration;
using ProcessPool.Text;

namespace ProcessPool.Hosting.Configuration;

/// <summary>Reads the keys of one section, and collects everything that is wrong: each fault begins with the key's path.</summary>
internal sealed class SectionReader(IConfigurationSection section, List<string> faults)
{
    private readonly List<string> _known = [];

    public IConfigurationSection Section => section;

    public void Text(string key, Action<string> set) => Value(key, text =>
    {
        set(text);
        return text.Length == 0 ? "expected text" : null;
    });

    public void Flag(string key, Action<bool> set) => Value<bool>(key, "true or false", text => bool.TryParse(text, out var flag) ? flag : null, set);

    public void Number(string key, Action<int> set) => Value<int>(key, "a whole number", text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null, set);

    public void Fraction(string key, Action<double> set) => Value<double>(key, "a number", text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null, set);

    public void Bytes(string key, Action<long> set) => Value(key, "a size such as 1048576, 512M or 2G", ByteSize.TryParse, set);

    public void Time(string key, Action<TimeSpan> set) =>
        Value<TimeSpan>(key, "a duration such as 00:00:30, 30s or 500ms", text => TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) && text.Contains(':', StringComparison.Ordinal) ? time : text is "0" or "0s" or "0ms" ? TimeSpan.Zero : Duration.TryParse(text), set);

    public void Choice<T>(string key, Action<T> set)
        where T : struct, Enum =>
        Value(key, $"one of {string.Join(", ", Enum.GetNames<T>())}", NameIn<T>, set);

    /// <summary>A value of an enumeration by its name alone: numbers, and several names at once, are none.</summary>
    public static T? NameIn<T>(string text)
        where T : struct, Enum => text.All(char.IsLetter) && Enum.TryParse<T>(text, ignoreCase: true, out var choice) ? choice : null;

    /// <summary>A value by way of something that throws what is wrong with it.</summary>
    public void Parsed<T>(string key, Func<string, T> parse, Action<T> set) => Value(key, text =>
    {
        try
        {
            set(parse(text));
            return null;
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or ArgumentException)
        {
            return exception.Message.ReplaceLineEndings(" ");
        }
    });

    /// <summary>A list of values.</summary>
    public void List<T>(string key, Func<string, T> parse, Action<IReadOnlyList<T>> set)
    {
        if (Known(key) is not { } child)
        {
            return;
        }

        var values = new List<T>();
        foreach (var item in child.GetChildren())
        {
            new SectionReader(child, faults).Parsed(item.Key, parse, values.Add);
        }

        if (child.Value is { Length: > 0 } single)
        {
            faults.Add($"{child.Path} is '{single}'; expected a list.");
        }

        set(values);
    }

    /// <summary>Names and values.</summary>
    public void Map(string key, Action<string, string?> set)
    {
        if (Known(key) is not { } child)
        {
            return;
        }

        if (child.Value is { Length: > 0 } single)
        {
            faults.Add($"{child.Path} is '{single}'; expected names and values.");
        }

        foreach (var item in child.GetChildren())
        {
            if (item.GetChildren().Any())
            {
                faults.Add($"{item.Path} is a section; expected text.");
            }
            else
            {
                set(item.Key, item.Value);
            }
        }
    }

    /// <summary>A section of its own, with keys of its own.</summary>
    public void Nested(string key, Action<SectionReader> read)
    {
        if (Known(key) is { } child)
        {
            var reader = new SectionReader(child, faults);
            read(reader);
            reader.Finish();
        }
    }

    /// <summary>When all keys were read: what is left is unknown.</summary>
    public void Finish()
    {
        foreach (var child in section.GetChildren().Where(child => !_known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)))
        {
            faults.Add($"{child.Path} is not known. {(Similar(child.Key) is { } similar ? $"Did you mean {similar}?" : $"Known are {string.Join(", ", _known)}.")}");
        }

        if (section.Value is { Length: > 0 } value)
        {
            faults.Add($"{section.Path} is '{value}'; expected a section.");
        }
    }

    private void Value<T>(string key, string expected, Func<string, T?> parse, Action<T> set)
        where T : struct =>
        Value(key, text =>
        {
            if (parse(text.Trim()) is not { } value)
            {
                return $"expected {expected}";
            }

            set(value);
            return null;
        });

    private void Value(string key, Func<string, string?> take)
    {
        if (Known(key) is not { } child)
        {
            return;
        }

        if (child.GetChildren().Any())
        {
            faults.Add($"{child.Path} is a section or a list; expected a value.");
        }
        else if (child.Value is { } text && take(text) is { } fault)
        {
            faults.Add($"{child.Path} is '{text}': {fault.TrimEnd('.')}.");
        }
    }

    private IConfigurationSection? Known(string key)
    {
        _known.Add(key);
        var child = section.GetSection(key);
        return child.Exists() ? child : null;
    }

    // The one that differs by the fewest letters, if they are few.
    private string? Similar(string key) => _known.Select(known => (Known: known, Distance: Distance(known.ToUpperInvariant(), key.ToUpperInvariant()))).Where(pair => pair.Distance <= 2).OrderBy(pair => pair.Distance).Select(pair => pair.Known).FirstOrDefault();

    // Levenshtein's.
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= other.Length; j++)
            {
                (row[j], diagonal) = (Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (one[i - 1] == other[j - 1] ? 0 : 1)), row[j]);
            }
        }

        return row[^1];
    }
}
