namespace ProcessPool.Benchmarks;

/// <summary>Measurements of one thing, in microseconds.</summary>
internal sealed class Samples
{
    private readonly List<double> _microseconds = [];

    public void Add(TimeSpan elapsed) => _microseconds.Add(elapsed.TotalMicroseconds);

    public double Percentile(double share)
    {
        var sorted = _microseconds.Order().ToArray();
        return sorted[(int)Math.Min(sorted.Length - 1, share * sorted.Length)];
    }
}
