namespace ProcessPool.Binding.Payload;

/// <summary>
/// The attachments of the payload that this thread is reading or writing just now. Converters are shared by all calls
/// and (de)serialization is synchronous, so the thread is the one place to hand them a call's own state.
/// </summary>
internal readonly struct AttachmentScope : IDisposable
{
    [ThreadStatic]
    private static List<ReadOnlyMemory<byte>>? _written;

    [ThreadStatic]
    private static ReadOnlyMemory<byte>[]? _read;

    private readonly List<ReadOnlyMemory<byte>>? _outerWritten;
    private readonly ReadOnlyMemory<byte>[]? _outerRead;

    // A getter or a converter may make a call of its own meanwhile.
    private AttachmentScope(List<ReadOnlyMemory<byte>>? written, ReadOnlyMemory<byte>[]? read)
    {
        (_outerWritten, _outerRead) = (_written, _read);
        (_written, _read) = (written, read);
    }

    /// <summary>Starts collecting into a list, which may hold attachments already.</summary>
    public static AttachmentScope ForWriting(List<ReadOnlyMemory<byte>> attachments) => new(attachments, null);

    /// <summary>Makes the attachments of a received payload available to converters.</summary>
    public static AttachmentScope ForReading(ReadOnlyMemory<byte>[] attachments) => new(null, attachments);

    /// <summary>Attaches bytes and returns their index.</summary>
    public static int Attach(ReadOnlyMemory<byte> bytes)
    {
        _written!.Add(bytes);
        return _written.Count - 1;
    }

    /// <summary>The attachment at an index, or null when there is none.</summary>
    public static ReadOnlyMemory<byte>? Find(int index)
    {
        // Not a conditional expression: there, null would become empty bytes by way of byte[].
        if (_read is { } attachments && (uint)index < (uint)attachments.Length)
        {
            return attachments[index];
        }

        return null;
    }

    public void Dispose() => (_written, _read) = (_outerWritten, _outerRead);
}
