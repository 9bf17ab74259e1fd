using System.Buffers.Binary;
using System.IO.Pipes;
using ProcessPool.Protocol.Transport;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Protocol;

/// <summary>The host's end of a pipe, with real pipes: what the poller sees, and what a sandbox cannot do to it.</summary>
public sealed class PolledPipeTests : IDisposable
{
    private const int Cap = 1 << 20;

    private readonly List<IDisposable> _owned = [];

    public PolledPipeTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "The poller is Linux's.");

    [Fact]
    public async Task What_arrives_is_received_frame_by_frame_and_the_end_is_told_once()
    {
        var end = new End(this);
        await end.SendAsync(3);
        await end.SendAsync(0);
        await end.Received(2).Within("both frames are received");
        end.Input.Dispose();
        Assert.Null(await end.Over.Task.Within("the end is told"));
        Assert.Equal([3, 0], end.Lengths);
    }

    [Fact]
    public async Task Half_a_frame_is_a_broken_connection()
    {
        var end = new End(this);
        await end.Input.WriteAsync(new byte[] { 0, 0, 0, 9, 1 });
        end.Input.Dispose();
        Assert.IsType<EndOfStreamException>(await end.Over.Task.Within("the end is told"));
    }

    [Fact]
    public async Task A_frame_above_the_cap_is_a_broken_connection()
    {
        var end = new End(this);
        var header = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(header, Cap + 1);
        await end.Input.WriteAsync(header);
        Assert.IsType<FrameTooLargeException>(await end.Over.Task.Within("the end is told"));
    }

    [Fact]
    public async Task A_thread_that_waits_busily_receives_itself_and_the_poller_goes_on_afterwards()
    {
        var end = new End(this);
        var first = end.Received(1);
        var spinning = Task.Factory.StartNew(
            () => end.Pipe.Spin(first, TimeProvider.System.GetTimestamp() + 60 * TimeProvider.System.TimestampFrequency), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await end.SendAsync(1);
        Assert.True(await spinning.Within("the frame is received"));
        var second = end.Received(2);
        await end.SendAsync(2);
        await second.Within("the poller receives the next one");
        Assert.Equal([1, 2], end.Lengths);
    }

    [Fact]
    public async Task Who_does_not_read_holds_up_a_write_and_no_thread_and_gets_all_of_it_in_the_end()
    {
        var end = new End(this);
        var bytes = new byte[8 << 20];
        Random.Shared.NextBytes(bytes);
        var writing = end.Pipe.WriteAsync(bytes).AsTask();
        Assert.False(writing.IsCompleted, "Expected a pipe to hold less than 8 MiB.");
        var read = new byte[bytes.Length];
        await end.Output.ReadExactlyAsync(read).AsTask().Within("all of it arrives");
        await writing.Within("the write ends");
        Assert.True(read.AsSpan().SequenceEqual(bytes), "Expected what was written to arrive as it was.");
    }

    [Fact]
    public async Task A_write_to_somebody_who_has_gone_fails()
    {
        var end = new End(this);
        end.Output.Dispose();
        await Assert.ThrowsAsync<IOException>(() => end.Pipe.WriteAsync(new byte[10]).AsTask().Within("the write ends"));
    }

    [Fact]
    public async Task A_write_that_waits_ends_with_the_pipe()
    {
        var end = new End(this);
        var writing = end.Pipe.WriteAsync(new byte[8 << 20]).AsTask();
        end.Pipe.Dispose();
        await Assert.ThrowsAsync<IOException>(() => writing.Within("the write ends"));
    }

    [Fact]
    public async Task One_that_never_stops_sending_does_not_keep_the_poller_from_the_others()
    {
        var loud = new End(this);
        var quiet = new End(this);
        using var stop = new CancellationTokenSource();
        var flood = Task.Factory.StartNew(
            () =>
            {
                var frames = new byte[64 * 1024];
                while (!stop.IsCancellationRequested)
                {
                    loud.Input.Write(frames);
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await loud.Received(10_000).Within("the flood has begun");
        await quiet.SendAsync(5);
        await quiet.Received(1).Within("the other one is heard");
        await stop.CancelAsync();
        await flood.Within("the flood ends");
    }

    public void Dispose() => _owned.ForEach(each => each.Dispose());

    /// <summary>Both ends of two pipes: the host's polled, the other one's plain.</summary>
    private sealed class End
    {
        private readonly Lock _gate = new();
        private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
        private long _received;

        public End(PolledPipeTests test)
        {
            var toHost = new AnonymousPipeServerStream(PipeDirection.In);
            var fromHost = new AnonymousPipeServerStream(PipeDirection.Out);
            Input = new AnonymousPipeClientStream(PipeDirection.Out, toHost.ClientSafePipeHandle);
            Output = new AnonymousPipeClientStream(PipeDirection.In, fromHost.ClientSafePipeHandle);
            Pipe = new PolledPipe(new RawPipe(toHost.SafePipeHandle, fromHost.SafePipeHandle), Cap, Receive, reason => Over.TrySetResult(reason), () => false);
            test._owned.AddRange([Pipe, Input, Output, toHost, fromHost]);
        }

        public PolledPipe Pipe { get; }

        public Stream Input { get; }

        public Stream Output { get; }

        public List<int> Lengths { get; } = [];

        public TaskCompletionSource<Exception?> Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask SendAsync(int length)
        {
            var frame = new byte[sizeof(int) + length];
            BinaryPrimitives.WriteInt32BigEndian(frame, length);
            return Input.WriteAsync(frame);
        }

        /// <summary>Ends when so many frames were received.</summary>
        public Task Received(int count)
        {
            lock (_gate)
            {
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (_received >= count)
                {
                    reached.SetResult();
                }
                else
                {
                    _waiting.Add((count, reached));
                }

                return reached.Task;
            }
        }

        private void Receive(FrameBuffer buffer)
        {
            lock (_gate)
            {
                while (buffer.TryTake(out var frame))
                {
                    _received++;
                    if (Lengths.Count < 10)
                    {
                        Lengths.Add(frame.Length);
                    }
                }

                foreach (var (_, reached) in _waiting.Where(waiting => _received >= waiting.Count))
                {
                    reached.TrySetResult();
                }
            }
        }
    }
}
