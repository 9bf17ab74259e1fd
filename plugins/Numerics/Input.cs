namespace Numerics;

/// <summary>Refuses what has no result.</summary>
internal static class Input
{
    public static void CheckNumbers(double[] numbers, string name)
    {
        ArgumentNullException.ThrowIfNull(numbers, name);
        if (numbers.Length == 0 || !Array.TrueForAll(numbers, double.IsFinite))
        {
            throw new ArgumentException("Expected numbers, none of them infinite or NaN.", name);
        }
    }
}
