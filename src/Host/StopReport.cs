namespace ProcessPool;

/// <summary>What stopping a pool has cost.</summary>
/// <param name="Completed">How many calls were finished while it stopped, with a result or an error of their own.</param>
/// <param name="Cancelled">How many calls were not, and failed with <see cref="CallRejectedException"/>.</param>
/// <param name="Killed">How many workers did not end by themselves in time and were killed.</param>
public sealed record StopReport(long Completed, long Cancelled, int Killed);
