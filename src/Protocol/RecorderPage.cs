namespace ProcessPool.Protocol;

/// <summary>
/// The layout of the recorder: a few pages of memory that a sandbox writes and its host reads, which survives every kind of death. What
/// is in it is the sandbox's claim.
/// </summary>
internal static class RecorderPage
{
    /// <summary>The size of all of it.</summary>
    public const int Bytes = OutboxAt + OutboxBytes;

    /// <summary>Replies that were finished and not sent yet: how many bytes, and the bytes, which are frames of the calls channel. Written before the number is.</summary>
    public const int OutboxLength = 24;

    /// <summary>Where they are.</summary>
    public const int OutboxAt = 4096;

    /// <summary>How many bytes fit.</summary>
    public const int OutboxBytes = 64 * 1024;

    /// <summary>The part of the first page in use.</summary>
    public const int UsedBytes = 4 * sizeof(long);

    /// <summary>The id of the call that was begun last, written before its arguments are read. 0: none.</summary>
    public const int StartedCall = 0;

    /// <summary>When that was: a <see cref="System.Diagnostics.Stopwatch"/> timestamp, which all processes of a machine share. Written first.</summary>
    public const int StartedAt = 8;

    /// <summary>The id of the call that was finished last, written before its reply is sent. 0: none.</summary>
    public const int FinishedCall = 16;
}
