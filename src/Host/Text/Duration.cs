using System.Globalization;

namespace ProcessPool.Text;

/// <summary>Durations as people type them: <c>500ms</c>, <c>3s</c>, <c>2m</c>.</summary>
internal static class Duration
{
    public static TimeSpan? TryParse(string text)
    {
        var digits = text.TrimEnd("msh".ToCharArray());
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number <= 0)
        {
            return null;
        }

        try
        {
            TimeSpan? duration = text[digits.Length..] switch
            {
                "ms" => TimeSpan.FromMilliseconds(number),
                "s" => TimeSpan.FromSeconds(number),
                "m" => TimeSpan.FromMinutes(number),
                "h" => TimeSpan.FromHours(number),
                _ => null,
            };

            // Shorter than the clock's tick is no duration.
            return duration > TimeSpan.Zero ? duration : null;
        }
        catch (OverflowException)
        {
            return null;
        }
    }
}
