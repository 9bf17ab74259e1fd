using System.Diagnostics;

namespace ProcessPool.Protocol.Transport;

/// <summary>
/// The host's end of a calls channel: read by the poller's thread, or by a caller that waits and spins a little before it leaves that to the poller. Who reads
/// holds the right to; frames are dispatched while it is held, so nothing of a user's may run in them.
/// </summary>
internal sealed class PolledPipe : IDisposable
{
    private const int ReadsAtOnce = 4;
    private const int RestMilliseconds = 50;

    private readonly RawPipe _pipe;
    private readonly int _input;
    private readonly int _output;
    private readonly FrameBuffer _buffer;
    private readonly Action<FrameBuffer> _receive;
    private readonly Action<Exception?> _end;
    private readonly Func<bool> _isExpecting;
    private readonly Timer _rest;
    private readonly Lock _gate = new();
    private TaskCompletionSource? _room;
    private int _reading;
    private volatile bool _isResting;
    private bool _isArmed;
    private bool _isOver;

    /// <param name="pipe">Whose handles live until this is disposed.</param>
    /// <param name="maxMessageBytes">The frame cap.</param>
    /// <param name="receive">Takes the frames.</param>
    /// <param name="end">Told once, when nothing is read any more.</param>
    /// <param name="isExpecting">Whether anything is waited for.</param>
    public PolledPipe(RawPipe pipe, int maxMessageBytes, Action<FrameBuffer> receive, Action<Exception?> end, Func<bool> isExpecting)
    {
        _isExpecting = isExpecting;
        _rest = new Timer(_ => EndRest(), null, Timeout.Infinite, Timeout.Infinite);
        _pipe = pipe;
        _buffer = new FrameBuffer(maxMessageBytes);
        _receive = receive;
        _end = end;
        (_input, _output) = (pipe.Input, pipe.Output);
        PipePoller.Shared.Add(_input, OnReadable);
        PipePoller.Shared.Add(_output, OnWritable);
        Arm();
    }

    /// <summary>Writes all of it, waiting for room without a thread.</summary>
    /// <exception cref="IOException">Nobody reads any more.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        var done = _pipe.TryWrite(bytes.Span);
        return done == bytes.Length ? default : WriteRestAsync(bytes[done..]);
    }

    /// <summary>Reads on this thread until the task has ended, for so long at most; then the poller goes on.</summary>
    /// <returns>Whether it has ended.</returns>
    public bool Spin(Task task, long untilTimestamp)
    {
        Disarm();
        var looks = 0;
        while (!task.IsCompleted && Stopwatch.GetTimestamp() < untilTimestamp)
        {
            if (!Drain())
            {
                BusyWait.Once(looks++);
            }
        }

        if (!task.IsCompleted || _isExpecting())
        {
            Arm();
            return task.IsCompleted;
        }

        // The next call is likely to come at once, and to read again itself.
        if (!_isResting)
        {
            _isResting = true;
            _rest.Change(RestMilliseconds, Timeout.Infinite);
        }

        return true;
    }

    /// <summary>Something is expected: the poller looks for it.</summary>
    public void Watch() => Arm();

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            _isOver = true;
            PipePoller.Shared.Forget(_input);
            PipePoller.Shared.Forget(_output);
        }

        _rest.Dispose();
        _room?.TrySetResult();
        _end(null);
    }

    private void OnReadable()
    {
        lock (_gate)
        {
            _isArmed = false;
        }

        // Not to its end: one that never stops sending must not keep the thread from the others.
        for (var i = 0; i < ReadsAtOnce && Drain(); i++)
        {
        }

        Arm();
    }

    private void EndRest()
    {
        _isResting = false;
        Arm();
    }

    private void OnWritable() => _room?.TrySetResult();

    private async ValueTask WriteRestAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            // One writes at a time.
            var room = _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
            {
                if (_isOver)
                {
                    throw new IOException("The pipe was closed.");
                }

                PipePoller.Shared.WaitToWrite(_output);
            }

            await room.Task.ConfigureAwait(false);
            int done;
            while (bytes.Length > 0 && (done = _pipe.TryWrite(bytes.Span)) > 0)
            {
                bytes = bytes[done..];
            }
        }
    }

    /// <summary>Reads what is there, unless somebody else does.</summary>
    /// <returns>Whether there was anything.</returns>
    private bool Drain()
    {
        if (Interlocked.Exchange(ref _reading, 1) != 0)
        {
            return false;
        }

        try
        {
            var count = _isOver ? -1 : _pipe.TryRead(_buffer.Room().Span);
            if (count > 0)
            {
                _buffer.Added(count);
                _receive(_buffer);
            }
            else if (count == 0)
            {
                End(_buffer.IsEmpty ? null : new EndOfStreamException("The connection ended in the middle of a message."));
            }

            return count > 0;
        }
        catch (Exception exception)
        {
            End(exception);
            return false;
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    private void End(Exception? reason)
    {
        _end(reason);
        Dispose();
    }

    private void Arm()
    {
        lock (_gate)
        {
            if (!_isOver && !_isArmed)
            {
                _isArmed = true;
                PipePoller.Shared.WaitToRead(_input);
            }
        }
    }

    private void Disarm()
    {
        lock (_gate)
        {
            if (!_isOver && _isArmed)
            {
                _isArmed = false;
                PipePoller.Shared.Rest(_input);
            }
        }
    }
}
