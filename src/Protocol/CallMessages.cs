namespace ProcessPool.Protocol;

/// <summary>The envelope of a call.</summary>
/// <param name="Id">Unique within the pool.</param>
/// <param name="EntryPoint">The entry point's name, case-sensitive.</param>
/// <param name="Payload">The arguments as UTF-8 JSON: an array (by position) or an object (by name).</param>
/// <param name="Attachments">The byte arrays that the payload refers to by index.</param>
internal sealed record CallRequest(long Id, string EntryPoint, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments);

/// <summary>What became of a call.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Payload">The result as UTF-8 JSON when <paramref name="Status"/> is <see cref="CallStatus.Succeeded"/>, else empty.</param>
/// <param name="Attachments">The byte arrays that the payload refers to by index.</param>
/// <param name="Error">What went wrong otherwise.</param>
internal sealed record CallReply(CallStatus Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, RemoteError? Error);

/// <summary>How a call ended. The values are Binder's too: it cannot share the type.</summary>
internal enum CallStatus
{
    /// <summary>The entry point returned.</summary>
    Succeeded = 0,

    /// <summary>The entry point threw.</summary>
    PluginThrew = 1,

    /// <summary>The arguments do not fit the entry point, or there is no such entry point; no plugin code ran.</summary>
    ArgumentsRefused = 2,

    /// <summary>The entry point ran, but its result cannot be serialized or is above the cap.</summary>
    ResultRefused = 3,
}

/// <summary>An exception as text. No type named by the other side is ever loaded.</summary>
internal sealed record RemoteError(string Type, string Message, string StackTrace, RemoteError? Inner);
