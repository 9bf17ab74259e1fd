using ProcessPool.Calls;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>Calls whose waiting is limited go together too, and none waits longer behind another one than it may in the queue. No process, no real time.</summary>
public sealed class ChunkWaitTests
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = ChunkStage.Look;

    private readonly ChunkStage _stage = new();
    private readonly Invocation _slow = Some.Call();
    private readonly TaskCompletionSource<CallReply> _held = new();

    [Fact]
    public async Task Those_behind_one_that_takes_long_fail_when_they_have_waited_as_long_as_they_may_and_it_goes_on()
    {
        var worker = GivingBack();
        var (rig, behind) = await StartAsync(worker);
        var since = rig.Time.GetTimestamp();
        await _stage.BeginAsync(rig, worker);
        Assert.Equal([2, 4], worker.Chunks);
        await ChunkStage.PassAsync(rig, () => behind.TrueForAll(call => call.Phase == CallPhase.Settled));
        Assert.InRange(rig.Time.GetElapsedTime(since), Wait, Wait + 2 * Look);
        foreach (var call in behind)
        {
            var timeout = await Assert.ThrowsAsync<CallTimeoutException>(() => call.Settled.Within("the call settles"));
            Assert.Equal((TimeoutPhase.Queue, Wait, Execution.NotStarted), (timeout.Phase, timeout.Timeout, timeout.Execution));
        }

        await ChunkStage.PassAsync(rig, () => rig.Time.GetElapsedTime(since) > TimeSpan.FromMinutes(1));
        Assert.False(worker.Killed || _slow.Settled.IsCompleted, "Expected the slow call to go on: its time is not limited.");
        _held.SetResult(Some.Reply);
        await _slow.Settled.Within("the slow call settles");
        await rig.ServeAsync("the worker serves on");
        await rig.StopAsync();
    }

    [Fact]
    public async Task Those_behind_one_that_ends_in_time_are_served_in_their_order()
    {
        var worker = GivingBack();
        var order = new List<long>();
        var answer = worker.OnInvoke!;
        worker.OnInvoke = (request, token) =>
        {
            order.Add(request.Id);
            return answer(request, token);
        };
        var (rig, behind) = await StartAsync(worker);
        await _stage.BeginAsync(rig, worker);
        await ChunkStage.PassAsync(rig, () => behind.TrueForAll(call => call.Moved));
        var younger = await rig.PutAsync();
        order.Clear();
        _held.SetResult(Some.Reply);
        await Task.WhenAll(behind.Append(_slow).Append(younger).Select(call => call.Settled)).Within("all are served");
        Assert.Equal([.. behind.Select(call => call.Request.Id), younger.Request.Id], order);
        await rig.StopAsync();
    }

    [Fact]
    public async Task While_the_pool_drains_those_behind_one_that_takes_long_are_served_by_a_worker_that_has_nothing_to_do()
    {
        var busy = new TaskCompletionSource<CallReply>();
        var first = GivingBack();
        var other = new FakeWorker("w") { OnInvoke = (_, _) => busy.Task };
        var rig = await new PoolRig(number => number == 1 ? first : other, options => (options.QueueTimeout, options.Workers) = (Wait, 2)).StartedAsync();
        await rig.PutAsync(2);
        await rig.PutAsync(_slow);
        var behind = await rig.PutAsync(2);
        await _stage.BeginAsync(rig, first);
        Assert.Equal([2], first.Chunks);
        other.OnInvoke = (_, _) => Task.FromResult(Some.Reply);
        busy.SetResult(Some.Reply);
        await behind[1].Settled.Within("the one that is in the queue is served");
        var draining = rig.Pool.StopAsync(drain: true, null, CancellationToken.None);
        await ChunkStage.PassAsync(rig, () => behind[0].Phase == CallPhase.Settled);
        await behind[0].Settled.Within("the one that stood behind the slow one is served");
        _held.SetResult(Some.Reply);
        await _slow.Settled.Within("the slow call settles");
        Assert.Equal(0, (await draining.Within("the pool stops")).Cancelled);
    }

    [Fact]
    public async Task A_call_that_has_asked_its_host_for_something_is_not_made_again_when_its_worker_gives_it_back()
    {
        var asked = new Callbacks([], Some.Settings().Services, WireLimits.MinMessageBytes);
        await asked.AnswerAsync(new CallbackRequest(1, "Anything", default, []), CancellationToken.None);
        var slow = new Invocation(_slow.Request, default, CallOptions.Default, asked, CancellationToken.None);
        var worker = _stage.Executing(slow, _held.Task);
        worker.OnRevoke = ids => ids;
        var (rig, behind) = await StartAsync(worker, slow);
        await _stage.BeginAsync(rig, worker);
        await ChunkStage.PassAsync(rig, () => behind.TrueForAll(call => call.Moved));
        Assert.False(slow.Moved, "Expected it to stay: it has begun.");
        await rig.StopAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sandbox_that_keeps_calls_is_killed_ten_seconds_after_they_have_waited_as_long_as_they_may(bool saysItGoesOn)
    {
        var first = _stage.Executing(_slow, _held.Task);
        first.OnRevoke = _ => [];
        var (rig, behind) = await StartAsync(first);
        var since = await _stage.BeginAsync(rig, first);
        var look = 0;
        await ChunkStage.PassAsync(rig, () => first.Killed, () => first.Mark = saysItGoesOn ? new RecorderMark(behind[look++ % behind.Count].Request.Id, 0, 0) : first.Mark);
        Assert.InRange(rig.Time.GetElapsedTime(since), Wait + TimeSpan.FromSeconds(10), 1.25 * Wait + TimeSpan.FromSeconds(10) + 2 * Look);
        await Until.HoldsAsync(() => rig.Pool.LastError is WorkerCrashedException { Reason: CrashReason.ProtocolViolation }, "its death is its own fault");
        await Task.WhenAll(behind.Append(_slow).Select(call => ((Task)call.Settled).ContinueWith(_ => { }, TaskScheduler.Default))).Within("every call settles");
        await rig.ServeAsync("the next worker serves");
        await rig.StopAsync();
    }

    /// <summary>Three calls that are short, the slow one, and three behind it.</summary>
    private async Task<(PoolRig Rig, List<Invocation> Behind)> StartAsync(FakeWorker first, Invocation? slow = null)
    {
        var rig = await new PoolRig(number => number == 1 ? first : PoolRig.Answering(), options => options.QueueTimeout = Wait).StartedAsync();
        await rig.PutAsync(3);
        await rig.PutAsync(slow ?? _slow);
        return (rig, await rig.PutAsync(3));
    }

    private FakeWorker GivingBack()
    {
        var worker = _stage.Executing(_slow, _held.Task);
        worker.OnRevoke = ids => ids.Where(id => id != _slow.Request.Id).ToList();
        return worker;
    }
}
