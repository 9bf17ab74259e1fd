namespace ProcessPool.Protocol;

/// <summary>Numbers both ends agree on.</summary>
internal static class WireLimits
{
    /// <summary>Host and sandbox ship together, so they must be equal; a mismatch means a mixed-up installation.</summary>
    public const int ProtocolVersion = 1;

    /// <summary>The frame cap of the control channel, whose messages are small.</summary>
    public const int MaxControlMessageBytes = 2 * 1024 * 1024;

    /// <summary>How many stages of its start a sandbox may report in all; a plugin half of them.</summary>
    public const int MaxStages = 128;

    /// <summary>How many requests of a sandbox its host answers at a time on one channel. A sandbox keeps to half of it.</summary>
    public const int MaxRequestsAtOnce = 64;

    /// <summary>What a frame needs beside payload and attachments.</summary>
    public const int EnvelopeBytes = 4096;

    /// <summary>What an attachment needs beside its bytes.</summary>
    public const int AttachmentBytes = 8;

    /// <summary>How much of a frame a payload and its attachments take.</summary>
    public static long SizeOf(ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte>[] attachments) =>
        payload.Length + attachments.Sum(attachment => (long)attachment.Length + AttachmentBytes);

    /// <summary>The smallest cap that can be set: the longest <see cref="RemoteError"/>, in whatever script, fits into it.</summary>
    public const int MinMessageBytes = 2 * 1024 * 1024;

    /// <summary>Longest message text of a <see cref="RemoteError"/>, in characters.</summary>
    public const int MaxErrorMessage = 8 * 1024;

    /// <summary>Longest stack trace of a <see cref="RemoteError"/>, in characters.</summary>
    public const int MaxStackTrace = 32 * 1024;

    /// <summary>How many files a load report names.</summary>
    public const int MaxLoadReportLines = 2000;

    /// <summary>How long they may be in all: with four bytes each, half a control message.</summary>
    public const int MaxLoadReportCharacters = MaxControlMessageBytes / 8;

    /// <summary>How many spans a reply carries.</summary>
    public const int MaxSpans = 128;

    /// <summary>How many tags a span, an event or a log entry has.</summary>
    public const int MaxTags = 32;

    /// <summary>How many events a span has.</summary>
    public const int MaxSpanEvents = 16;

    /// <summary>How many scopes a log entry is in.</summary>
    public const int MaxLogScopes = 16;

    /// <summary>Longest name and longest text of a tag, in characters.</summary>
    public const int MaxTagText = 1024;

    /// <summary>How many bytes a reply's spans take at most. With the longest <see cref="RemoteError"/> they fit into the smallest cap.</summary>
    public const int MaxSpanBytes = 256 * 1024;

    /// <summary>How many inner exceptions a <see cref="RemoteError"/> carries.</summary>
    public const int MaxInnerErrors = 8;
}
