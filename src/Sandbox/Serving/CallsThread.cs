using System.Diagnostics;
using ProcessPool.Protocol.Interop;
using ProcessPool.Protocol.Transport;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Sandbox.Serving;

/// <summary>
/// The thread that reads the calls channel, and runs the calls itself: a call is a message, no hop to another thread. While plugin code holds it nobody reads;
/// when that code asks the host for something, another thread takes over, to read the answer.
/// </summary>
/// <param name="input">Reads some bytes, waiting for them; 0 at the end.</param>
/// <param name="maxMessageBytes">The frame cap.</param>
internal sealed class CallsThread(Func<Memory<byte>, int> input, int maxMessageBytes)
{
    private readonly FrameBuffer _buffer = new(maxMessageBytes);
    private readonly Lock _gate = new();
    private RequestChannel _channel = null!;
    private int _reader;
    private bool _isDispatching;

    /// <summary>Begins to read.</summary>
    public void Start(RequestChannel channel)
    {
        _channel = channel;
        StartReader();
    }

    /// <summary>Somebody else reads from here on, if this thread, or another one, runs a call instead.</summary>
    public void LetAnotherRead()
    {
        lock (_gate)
        {
            if (_isDispatching)
            {
                _isDispatching = false;
                _reader++;
                StartReader();
            }
        }
    }

    private void StartReader()
    {
        var reader = _reader;
        new Thread(() => Read(reader)) { IsBackground = true, Name = "calls" }.Start();
    }

    private void Read(int reader)
    {
        try
        {
            while (true)
            {
                while (_buffer.TryTake(out var frame))
                {
                    var message = WireFormatter.Read(frame);
                    lock (_gate)
                    {
                        _isDispatching = true;
                    }

                    // Somebody waits for the host already, and this call may wait for him.
                    if (message is JsonRpcRequest && _channel.IsWaiting)
                    {
                        LetAnotherRead();
                    }

                    _channel.Receive(message);
                    lock (_gate)
                    {
                        if (_reader != reader)
                        {
                            return;
                        }

                        _isDispatching = false;
                    }
                }

                var count = input(_buffer.Room());
                if (count == 0)
                {
                    _channel.End(null);
                    return;
                }

                _buffer.Added(count);
            }
        }
        catch (Exception exception)
        {
            _channel.End(exception);
        }
    }
}

/// <summary>Waits for bytes of a pipe: first busily, where that has paid lately, because waking a thread costs more than a short call.</summary>
internal sealed class SpinningInput(RawPipe pipe)
{
    private const int MaxSkips = 64;

    private static readonly long Budget = Stopwatch.Frequency * 100 / 1_000_000;
    private static readonly bool HasRoom = LibC.Processors > 1;

    private int _skips;
    private int _skip;

    public int Read(Memory<byte> buffer)
    {
        var count = pipe.TryRead(buffer.Span);
        if (count < 0 && HasRoom && _skip-- <= 0)
        {
            var until = Stopwatch.GetTimestamp() + Budget;
            var looks = 0;
            do
            {
                BusyWait.Once(looks++);
                count = pipe.TryRead(buffer.Span);
            }
            while (count < 0 && Stopwatch.GetTimestamp() < until);
            _skips = count >= 0 ? 0 : Math.Min(MaxSkips, _skips * 2 + 1);
            _skip = _skips;
        }

        return count >= 0 ? count : pipe.Read(buffer.Span);
    }
}
