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

    /// <summary>Starts collecting; call <see cref="Written"/> before disposal.</summary>
    public static AttachmentScope ForWriting()
    {
        _written = null;
        return default;
    }

    /// <summary>Makes the attachments of a received payload available to converters.</summary>
    public static AttachmentScope ForReading(ReadOnlyMemory<byte>[] attachments)
    {
        _read = attachments;
        return default;
    }

    /// <summary>What was attached since <see cref="ForWriting"/>.</summary>
    public static ReadOnlyMemory<byte>[] Written() => _written?.ToArray() ?? [];

    /// <summary>Attaches bytes and returns their index.</summary>
    public static int Attach(ReadOnlyMemory<byte> bytes)
    {
        _written ??= [];
        _written.Add(bytes);
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

    public void Dispose()
    {
        _written = null;
        _read = null;
    }
}
