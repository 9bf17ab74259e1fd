using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>Calls whose time is limited go together too, and the limit is each one's own. No process, no real time.</summary>
public sealed class ChunkTimeoutTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private readonly TaskCompletionSource _go = new();
    private readonly TaskCompletionSource _begun = new();
    private readonly Invocation _slow = Some.Call(acceptsCancellation: true);
    private readonly Invocation _stuck = Some.Call();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_that_takes_longer_than_it_may_costs_its_worker_and_the_others_nothing(bool isThePools)
    {
        var stuck = isThePools ? _stuck : Some.Call(timeout: Limit);
        var first = Executing(stuck, new TaskCompletionSource<CallReply>().Task);
        var rig = await StartAsync(options => options.CallTimeout = isThePools ? Limit : null, first);
        var calls = await PutAsync(rig, 4);
        await rig.PutAsync(stuck);
        calls.AddRange(await PutAsync(rig, 2));
        var since = await BeginAsync(rig, first);
        await PassAsync(rig, () => first.Killed);
        Assert.InRange(rig.Time.GetElapsedTime(since), Limit, Limit + 2 * Look);
        var timeout = await Assert.ThrowsAsync<CallTimeoutException>(() => stuck.Settled.Within("the stuck call settles"));
        Assert.Equal((stuck.Request.Id, TimeoutPhase.Execute, Limit), (timeout.CallId!.Value, timeout.Phase, timeout.Timeout));
        await Task.WhenAll(calls.Select(call => call.Settled)).Within("the others settle");
        Assert.Equal([2, 4], first.Chunks);
        Assert.Null(rig.Pool.LastError);
        await rig.StopAsync();
    }

    [Fact]
    public async Task One_that_ends_when_it_is_asked_fails_its_worker_is_replaced_and_those_behind_it_are_served()
    {
        var held = new TaskCompletionSource<CallReply>();
        var first = Executing(_slow, held.Task);
        var rig = await StartAsync(options => options.CallTimeout = Limit, first);
        var calls = await PutAsync(rig, 4);
        await rig.PutAsync(_slow);
        calls.AddRange(await PutAsync(rig, 2));
        await BeginAsync(rig, first);
        await PassAsync(rig, () => first.Asked.Task.IsCompleted);
        Assert.Equal([_slow.Request.Id], first.CancelledCalls);
        held.SetResult(Some.Error(typeof(OperationCanceledException).FullName!));
        await Assert.ThrowsAsync<CallTimeoutException>(() => _slow.Settled.Within("the slow call settles"));
        await Task.WhenAll(calls.Select(call => call.Settled)).Within("the others settle");
        await first.Exited.Within("the worker is replaced");
        Assert.False(first.Killed, "Expected the worker to be stopped, not killed: it has ended the call.");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_sandbox_that_lies_about_what_it_has_begun_wins_no_more_than_the_same_time_again()
    {
        var lies = 0L;
        var first = Executing(_stuck, new TaskCompletionSource<CallReply>().Task);
        var rig = await StartAsync(options => options.CallTimeout = Limit, first);
        var calls = await PutAsync(rig, 4);
        await rig.PutAsync(_stuck);
        calls.AddRange(await PutAsync(rig, 2));
        var since = await BeginAsync(rig, first);
        await PassAsync(rig, () => first.Killed, () => first.Mark = new RecorderMark(_stuck.Request.Id - 3 + lies++ % 7, 0, 0));
        Assert.InRange(rig.Time.GetElapsedTime(since), Limit, 2 * Limit + 2 * Look);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_sandbox_that_gives_back_what_it_executes_is_killed_when_its_time_is_up()
    {
        var first = Executing(_stuck, new TaskCompletionSource<CallReply>().Task);
        var rig = await StartAsync(options => (options.CallTimeout, options.QueueTimeout) = (Limit, TimeSpan.FromHours(1)), first);
        first.OnRevoke = ids => ids;
        await PutAsync(rig, 4);
        await rig.PutAsync(_stuck);
        var calls = await PutAsync(rig, 2);
        await BeginAsync(rig, first);
        await PassAsync(rig, () => first.Killed);
        await _stuck.Settled.Within("the call that was given back is made by the next worker");
        await Task.WhenAll(calls.Select(call => call.Settled)).Within("the others settle");
        Assert.Equal(CrashReason.ProtocolViolation, Assert.IsType<WorkerCrashedException>(rig.Pool.LastError).Reason);
        await rig.StopAsync();
    }

    [Fact]
    public async Task Calls_behind_a_long_one_wait_in_the_queue_where_it_is_limited_how_long_they_wait()
    {
        var held = new TaskCompletionSource<CallReply>();
        var worker = Executing(_stuck, held.Task);
        var rig = await StartAsync(options => options.QueueTimeout = Limit, worker);
        worker.OnRevoke = ids => ids.Where(id => id != _stuck.Request.Id).ToList();
        var before = await PutAsync(rig, 4);
        await rig.PutAsync(_stuck);
        var behind = await PutAsync(rig, 2);
        await BeginAsync(rig, worker);
        await Task.WhenAll(before.Select(call => call.Settled)).Within("those before it settle");
        await PassAsync(rig, () => behind.TrueForAll(call => call.Settled.IsCompleted));
        foreach (var call in behind)
        {
            Assert.Equal(TimeoutPhase.Queue, (await Assert.ThrowsAsync<CallTimeoutException>(() => call.Settled)).Phase);
        }

        Assert.False(_stuck.Settled.IsCompleted, "Expected the long call to go on.");
        held.SetResult(Some.Reply);
        await _stuck.Settled.Within("the long call settles");
        await rig.StopAsync();
    }

    private static async Task<PoolRig> StartAsync(Action<SandboxPoolOptions> change, FakeWorker first) =>
        await new PoolRig(number => number == 1 ? first : PoolRig.Answering(), change).StartedAsync();

    private static async Task<List<Invocation>> PutAsync(PoolRig rig, int count)
    {
        var calls = new List<Invocation>();
        for (var i = 0; i < count; i++)
        {
            calls.Add(await rig.PutAsync());
        }

        return calls;
    }

    /// <summary>The first call of all holds the worker until the others wait. Ends when the one that is not to end has begun, and the pool has looked for the first time.</summary>
    private async Task<long> BeginAsync(PoolRig rig, FakeWorker worker)
    {
        _go.SetResult();
        await _begun.Task.Within("the call begins");
        var looks = worker.Looks;
        await PassAsync(rig, () => worker.Looks > looks);
        return rig.Time.GetTimestamp();
    }

    // In steps as small as the pool's own looks; what they set off may go on elsewhere.
    private static async Task PassAsync(PoolRig rig, Func<bool> until, Action? meanwhile = null)
    {
        for (var i = 0; i < 100_000 && !until(); i++)
        {
            meanwhile?.Invoke();
            rig.Time.Advance(Look);
            await Task.Yield();
        }

        Assert.True(until(), "Expected that to happen in the end.");
    }

    private FakeWorker Executing(Invocation call, Task<CallReply> reply)
    {
        var worker = new FakeWorker("w");
        worker.OnInvoke = async (request, _) =>
        {
            worker.Mark = new RecorderMark(request.Id, 0, 0);
            await _go.Task;
            if (request.Id != call.Request.Id)
            {
                return Some.Reply;
            }

            _begun.TrySetResult();
            return await reply;
        };
        return worker;
    }
}
