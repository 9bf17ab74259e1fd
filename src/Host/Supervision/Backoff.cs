namespace ProcessPool.Supervision;

/// <summary>How long to wait between attempts to start a worker, and when to give up.</summary>
internal static class Backoff
{
    /// <summary>Failed starts in a row after which a slot is given up.</summary>
    public const int MaxFailures = 5;

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>The wait after this many failures in a row, counted from 1: 100 ms, doubled each time, at most 10 s.</summary>
    public static TimeSpan After(int failures) =>
        failures >= 8 ? Longest : TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << (failures - 1)));
}
