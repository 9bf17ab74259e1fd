namespace ProcessPool.Workers;

/// <summary>What a sandbox has recorded: its own claim.</summary>
/// <param name="StartedCall">The id of the call it began last; 0 for none.</param>
/// <param name="StartedAt">When that was, by the machine's <see cref="System.Diagnostics.Stopwatch"/>.</param>
/// <param name="FinishedCall">The id of the call it finished last; 0 for none.</param>
internal sealed record RecorderMark(long StartedCall, long StartedAt, long FinishedCall);
