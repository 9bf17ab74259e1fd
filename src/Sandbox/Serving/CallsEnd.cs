using System.IO.Pipes;
using ProcessPool.Protocol.Transport;

namespace ProcessPool.Sandbox.Serving;

/// <summary>The sandbox's end of the calls channel: how bytes are read, by a thread that waits for them, and written.</summary>
internal sealed record CallsEnd(Func<Memory<byte>, int> Read, Func<ReadOnlyMemory<byte>, ValueTask> Write)
{
    /// <summary>Over two pipes, without going through .NET's streams where that is possible.</summary>
    public static CallsEnd Over(PipeStream input, PipeStream output)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new CallsEnd(buffer => input.Read(buffer.Span), bytes => output.WriteAsync(bytes));
        }

        var pipe = new RawPipe(input.SafePipeHandle, output.SafePipeHandle);
        return new CallsEnd(new SpinningInput(pipe).Read, bytes =>
        {
            WriteAll(pipe, bytes.Span);
            return default;
        });
    }

    /// <summary>Over a stream, in debug mode.</summary>
    public static CallsEnd Over(Stream stream) => new(buffer => stream.Read(buffer.Span), bytes => FrameSender.WriteAsync(stream, bytes));

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
