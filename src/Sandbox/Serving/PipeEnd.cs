using System.IO.Pipes;
using ProcessPool.Protocol.Transport;

namespace ProcessPool.Sandbox.Serving;

/// <summary>The sandbox's end of a channel: how bytes are read, by a thread that waits for them, and written.</summary>
internal sealed record PipeEnd(Func<Memory<byte>, int> Read, Func<ReadOnlyMemory<byte>, ValueTask> Write)
{
    /// <summary>Over two pipes, without going through .NET's streams where that is possible.</summary>
    /// <param name="input">To read from.</param>
    /// <param name="output">To write to.</param>
    /// <param name="spins">Whether to wait busily for a while.</param>
    public static PipeEnd Over(PipeStream input, PipeStream output, bool spins)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new PipeEnd(buffer => input.Read(buffer.Span), bytes => output.WriteAsync(bytes));
        }

        var pipe = new RawPipe(input.SafePipeHandle, output.SafePipeHandle);
        return new PipeEnd(spins ? new SpinningInput(pipe).Read : buffer => pipe.Read(buffer.Span), bytes =>
        {
            WriteAll(pipe, bytes.Span);
            return default;
        });
    }

    /// <summary>Over a stream, in debug mode.</summary>
    public static PipeEnd Over(Stream stream) => new(buffer => stream.Read(buffer.Span), bytes => FrameSender.WriteAsync(stream, bytes));

    private static void WriteAll(RawPipe pipe, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var count = pipe.TryWrite(bytes);
            if (count == 0)
            {
                pipe.WaitToWrite();
            }

            bytes = bytes[count..];
        }
    }
}
