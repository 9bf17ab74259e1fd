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

    /// <summary>Sends one message. Almost always at once, on this thread.</summary>
    public ValueTask SendAsync(JsonRpcMessage message) => SendAsync(new Outgoing(message));

    /// <summary>Sends frames as they are.</summary>
    public ValueTask SendAsync(ReadOnlyMemory<byte> frames) => SendAsync(new Outgoing(null, Frames: frames));

    /// <summary>Sends a request with one argument.</summary>
    public ValueTask SendAsync(long id, string method, object? argument) => SendAsync(new Outgoing(null, id, method, argument));

    private ValueTask SendAsync(in Outgoing outgoing)
    {
        // Almost always nobody else writes, and there is room.
        if (!_writing.Wait(0))
        {
            return SendLaterAsync(outgoing);
        }

        ValueTask written;
        try
        {
            written = write(Frame(outgoing));
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

    private ReadOnlyMemory<byte> Frame(in Outgoing outgoing)
    {
        if (outgoing.Message is null && outgoing.Method is null)
        {
            return outgoing.Frames;
        }

        _writer.Clear();
        var begin = _writer.BeginFrame();
        if (outgoing.Message is { } message)
        {
            WireFormatter.Write(_writer, message);
        }
        else
        {
            WireFormatter.WriteRequest(_writer, outgoing.Id, outgoing.Method!, outgoing.Argument);
        }

        _writer.EndFrame(begin);
        return _writer.Written;
    }

    private async ValueTask SendLaterAsync(Outgoing outgoing)
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            await write(Frame(outgoing)).ConfigureAwait(false);
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

    /// <summary>What is to be sent: a message, a request, or frames.</summary>
    private readonly record struct Outgoing(JsonRpcMessage? Message, long Id = 0, string? Method = null, object? Argument = null, ReadOnlyMemory<byte> Frames = default);
}
