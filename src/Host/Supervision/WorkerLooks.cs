namespace ProcessPool.Supervision;

/// <summary>What is remembered of the looks at one worker. Only <see cref="ResourceWatch"/> writes it.</summary>
internal sealed class WorkerLooks
{
    /// <summary>How often in a row what it uses could not be read.</summary>
    public int Unreadable { get; set; }

    /// <summary>When its scratch folder is looked at next: a timestamp of the pool's clock.</summary>
    public long NextScratch { get; set; }
}
