namespace ProcessPool.Cli.Top;

/// <summary>All pools of a process at one moment, as it told them. Texts are clean: they may go to a terminal.</summary>
/// <param name="Time">When, since the watching began.</param>
/// <param name="Pools">The pools, by name.</param>
internal sealed record Snapshot(TimeSpan Time, IReadOnlyList<PoolLine> Pools);

/// <summary>One pool. Counts are since it was started.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">Such as <c>running</c>.</param>
/// <param name="Size">How many workers it shall have.</param>
/// <param name="Queued">Calls that wait for a worker.</param>
/// <param name="Calls">Calls that have ended.</param>
/// <param name="Failed">Calls that have failed.</param>
/// <param name="Retries">Calls that were made again.</param>
/// <param name="Exits">Workers that have ended, by reason.</param>
internal sealed record PoolLine(string Name, string State, int Size, int Queued, long Calls, long Failed, long Retries, IReadOnlyDictionary<string, int> Exits)
{
    /// <summary>Calls that ended in a second since the snapshot before; null when there is none to compare with.</summary>
    public double? CallsPerSecond { get; init; }

    /// <summary>Its workers, by name.</summary>
    public IReadOnlyList<WorkerLine> Workers { get; init; } = [];
}

/// <summary>One worker of a pool.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ProcessId">Its process; 0 where it has none.</param>
/// <param name="State">Such as <c>busy</c>.</param>
/// <param name="Calls">Calls that it has served.</param>
/// <param name="ResidentBytes">Its memory; 0 where it cannot be read.</param>
/// <param name="ProcessorSeconds">The time that processors worked for it.</param>
/// <param name="UptimeSeconds">Its age.</param>
internal sealed record WorkerLine(string Name, int ProcessId, string State, long Calls, long ResidentBytes, double ProcessorSeconds, double UptimeSeconds)
{
    /// <summary>Processors that worked for it since the snapshot before: 1 is one whole processor. Null when there is no snapshot to compare with.</summary>
    public double? Processors { get; init; }
}
