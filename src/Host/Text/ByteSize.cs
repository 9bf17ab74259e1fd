using System.Globalization;

namespace ProcessPool.Text;

/// <summary>Sizes as people type them: <c>512M</c>, <c>1.5G</c>, <c>1048576</c>. Powers of 1,024, with or without <c>B</c> or <c>iB</c>.</summary>
internal static class ByteSize
{
    public static long? TryParse(string text)
    {
        var number = text.TrimEnd("KMGTiB".ToCharArray());
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value <= 0)
        {
            return null;
        }

        double? bytes = text[number.Length..] switch
        {
            "" or "B" => value,
            "K" or "KB" or "KiB" => value * (1L << 10),
            "M" or "MB" or "MiB" => value * (1L << 20),
            "G" or "GB" or "GiB" => value * (1L << 30),
            "T" or "TB" or "TiB" => value * (1L << 40),
            _ => null,
        };
        return bytes is >= 1 and < long.MaxValue ? (long)bytes : null;
    }
}
