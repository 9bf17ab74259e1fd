using System.Diagnostics.CodeAnalysis;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Protocol.Transport;

/// <summary>Writes frames, one after the other, whoever sends them. Thread-safe.</summary>
/// <param name="write">Writes bytes.</param>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle.")]
internal sealed class FrameSender(Func<ReadOnlyMemory<byte>, ValueTask> write)
{
    private readonly SemaphoreSlim _writing = new(1);
    private readonly WireWriter _writer = new();

    /// <summary>To a stream.</summary>
    public static FrameSender To(Stream stream) => new(bytes => WriteAsync(stream, bytes));

    /// <summary>Writes bytes to a stream, and through it.</summary>
    public static async ValueTask WriteAsync(Stream stream, ReadOnlyMemory<byte> bytes)
    {
        await stream.WriteAsync(bytes).ConfigureAwait(false);
        await stream.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Sends one message, or frames as they are. Almost always at once, on this thread.</summary>
    public ValueTask SendAsync(JsonRpcMessage? message, ReadOnlyMemory<byte> frames)
    {
        // Almost always nobody else writes, and there is room.
        if (!_writing.Wait(0))
        {
            return SendLaterAsync(message, frames);
        }

        ValueTask written;
        try
        {
            written = write(Frame(message, frames));
        }
        catch (Exception exception)
        {
            written = ValueTask.FromException(exception);
        }

        if (!written.IsCompletedSuccessfully)
        {
            return ReleaseAfterAsync(written);
        }

        _writing.Release();
        return default;
    }

    private ReadOnlyMemory<byte> Frame(JsonRpcMessage? message, ReadOnlyMemory<byte> frames)
    {
        if (message is null)
        {
            return frames;
        }

        _writer.Frame(message);
        return _writer.Written;
    }

    private async ValueTask SendLaterAsync(JsonRpcMessage? message, ReadOnlyMemory<byte> frames)
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            await write(Frame(message, frames)).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async ValueTask ReleaseAfterAsync(ValueTask written)
    {
        try
        {
            await written.ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }
}
