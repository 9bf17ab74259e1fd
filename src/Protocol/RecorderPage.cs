namespace ProcessPool.Protocol;

/// <summary>
/// The layout of the recorder: a page of memory that a sandbox writes and its host reads, which survives every kind of death. What
/// is in it is the sandbox's claim.
/// </summary>
internal static class RecorderPage
{
    /// <summary>The size of the page.</summary>
    public const int Bytes = 4096;

    /// <summary>The part of it in use.</summary>
    public const int UsedBytes = 3 * sizeof(long);

    /// <summary>The id of the call that was begun last, written before its arguments are read. 0: none.</summary>
    public const int StartedCall = 0;

    /// <summary>When that was: a <see cref="System.Diagnostics.Stopwatch"/> timestamp, which all processes of a machine share. Written first.</summary>
    public const int StartedAt = 8;

    /// <summary>The id of the call that was finished last, written before its reply is sent. 0: none.</summary>
    public const int FinishedCall = 16;
}
