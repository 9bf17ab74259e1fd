using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using ProcessPool.Binding.Payload;
using ProcessPool.Calls;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>How far a map reads ahead, and how it ends when its input or its consumer does not play along.</summary>
public sealed class MapPumpTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _reads = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _sourceEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_item_is_read_before_there_is_room_for_its_outcome(bool ordered)
    {
        var read = 0;
        await using (var outcomes = Run(Numbers(() => ++read), (index, token) => index < 3 ? Done(index) : UntilCancelledAsync(index, token), ordered, window: 4))
        {
            Assert.True(await outcomes.MoveNextAsync());

            // The one that was consumed made room for another.
            Assert.InRange(Volatile.Read(ref read), 1, 5);
        }

        await _sourceEnded.Task.Within("the input is disposed");

        static async Task<CallOutcome<long>> UntilCancelledAsync(long index, CancellationToken token)
        {
            await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return new CallOutcome<long>(index, index, null);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancelling_does_not_wait_for_an_input_that_does_not_listen(bool ordered)
    {
        using var cancel = new CancellationTokenSource();
        var outcomes = Run(Deaf(), (index, _) => Done(index), ordered, token: cancel.Token);
        Assert.True(await outcomes.MoveNextAsync());
        var next = outcomes.MoveNextAsync().AsTask();
        await _reads.Task.Within("the input is being read");
        await cancel.CancelAsync();
        _ = AdvanceUntilAsync(next);
        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.Within("the map ends"));
        Assert.Equal(cancel.Token, thrown.CancellationToken);
        await outcomes.DisposeAsync();
    }

    [Fact]
    public async Task A_consumer_that_leaves_does_not_wait_for_an_input_that_does_not_listen()
    {
        var outcomes = Run(Deaf(), (index, _) => Done(index), ordered: true);
        Assert.True(await outcomes.MoveNextAsync());
        await _reads.Task.Within("the input is being read");
        var end = outcomes.DisposeAsync().AsTask();
        _ = AdvanceUntilAsync(end);
        await end.Within("the map ends");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_consumer_that_leaves_cancels_what_is_under_way_and_waits_for_it(bool ordered)
    {
        var underWay = 0;
        var outcomes = Run(Numbers(() => 0), WaitAsync, ordered, window: 4);
        Assert.True(await outcomes.MoveNextAsync());
        await outcomes.DisposeAsync().AsTask().Within("the map ends");
        Assert.Equal(0, Volatile.Read(ref underWay));
        Assert.True(_sourceEnded.Task.IsCompleted, "Expected the input to be disposed.");

        async Task<CallOutcome<long>> WaitAsync(long index, CancellationToken token)
        {
            if (index > 0)
            {
                Interlocked.Increment(ref underWay);
                await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                Interlocked.Decrement(ref underWay);
            }

            return new CallOutcome<long>(index, index, null);
        }
    }

    private static Task<CallOutcome<long>> Done(long index) => Task.FromResult(new CallOutcome<long>(index, index, null));

    private IAsyncEnumerator<CallOutcome<long>> Run(
        IAsyncEnumerable<long> items, Func<long, CancellationToken, Task<CallOutcome<long>>> call, bool ordered, int window = 2, CancellationToken token = default) =>
        new MapPump(window, Patience, _time).RunAsync(items, (index, _, stopped) => call(index, stopped), ordered, bundler: null, new ItemWriter<long>(PayloadJson.ForHost(null), default), begin: null, token).GetAsyncEnumerator(CancellationToken.None);

    private async IAsyncEnumerable<long> Numbers(Func<int> onRead)
    {
        try
        {
            for (var i = 0L; ; i++)
            {
                onRead();
                yield return i;
                await Task.Yield();
            }
        }
        finally
        {
            _sourceEnded.SetResult();
        }
    }

    // One number, then nothing, whatever the token says.
    private async IAsyncEnumerable<long> Deaf([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        yield return 0;
        _reads.SetResult();
        await Task.Delay(Timeout.Infinite, CancellationToken.None);
    }

    // The timer is armed on another thread, so one step may come too early.
    private Task AdvanceUntilAsync(Task task) => Task.Run(async () =>
    {
        while (!task.IsCompleted)
        {
            _time.Advance(Patience);
            await Task.Yield();
        }
    });
}
