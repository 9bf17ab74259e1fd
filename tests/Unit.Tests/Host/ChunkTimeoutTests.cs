using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>Calls whose time is limited go together too, and the limit is each one's own. No process, no real time.</summary>
public sealed class ChunkTimeoutTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);
    private static readonly TimeSpan Look = ChunkStage.Look;

    private readonly ChunkStage _stage = new();
    private readonly Invocation _slow = Some.Call(acceptsCancellation: true);
    private readonly Invocation _stuck = Some.Call();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_that_takes_longer_than_it_may_costs_its_worker_and_the_others_nothing(bool isThePools)
    {
        var stuck = isThePools ? _stuck : Some.Call(timeout: Limit);
        var first = _stage.Executing(stuck, new TaskCompletionSource<CallReply>().Task);
        var rig = await StartAsync(options => options.CallTimeout = isThePools ? Limit : null, first);
        var calls = await rig.PutAsync(4);
        await rig.PutAsync(stuck);
        calls.AddRange(await rig.PutAsync(2));
        var since = await _stage.BeginAsync(rig, first);
        await ChunkStage.PassAsync(rig, () => first.Killed);
        Assert.InRange(rig.Time.GetElapsedTime(since), Limit, Limit + 2 * Look);
        var timeout = await Assert.ThrowsAsync<CallTimeoutException>(() => stuck.Settled.Within("the stuck call settles"));
        Assert.Equal((stuck.Request.Id, TimeoutPhase.Execute, Limit), (timeout.CallId!.Value, timeout.Phase, timeout.Timeout));
        await Task.WhenAll(calls.Select(call => call.Settled)).Within("the others settle");
        Assert.Equal([2, 4], first.Chunks);
        Assert.Null(rig.Pool.LastError);
        await rig.StopAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_ends_when_it_is_asked_fails_its_worker_is_replaced_and_those_behind_it_are_served(bool isSaidToBeSkipped)
    {
        var held = new TaskCompletionSource<CallReply>();
        var first = _stage.Executing(_slow, held.Task);
        var rig = await StartAsync(options => options.CallTimeout = Limit, first);
        var calls = await rig.PutAsync(4);
        await rig.PutAsync(_slow);
        calls.AddRange(await rig.PutAsync(2));
        await _stage.BeginAsync(rig, first);
        await ChunkStage.PassAsync(rig, () => first.Asked.Task.IsCompleted);
        Assert.Equal([_slow.Request.Id], first.CancelledCalls);
        held.SetResult(isSaidToBeSkipped ? new CallReply(CallStatus.Skipped, default, [], null) : Some.Error(typeof(OperationCanceledException).FullName!));
        await Assert.ThrowsAsync<CallTimeoutException>(() => _slow.Settled.Within("the slow call settles"));
        await Task.WhenAll(calls.Select(call => call.Settled)).Within("the others settle");
        await first.Exited.Within("the worker is replaced");
        Assert.False(first.Killed, "Expected the worker to be stopped, not killed: it has ended the call.");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_call_whose_reply_is_on_its_way_has_it_when_the_one_after_it_is_killed()
    {
        var held = new TaskCompletionSource<CallReply>();
        var first = _stage.Executing(_slow, held.Task);
        first.OnKill = () => held.SetResult(Some.Reply);
        var rig = await StartAsync(options => options.CallTimeout = Limit, first);
        await rig.PutAsync(3);
        await rig.PutAsync(_slow);
        await rig.PutAsync(_stuck);
        var behind = await rig.PutAsync(2);
        var since = await _stage.BeginAsync(rig, first);
        first.Mark = new RecorderMark(_stuck.Request.Id, 0, _slow.Request.Id);
        await ChunkStage.PassAsync(rig, () => first.Killed);
        Assert.InRange(rig.Time.GetElapsedTime(since), Limit, Limit + 3 * Look);
        await _slow.Settled.Within("the one that had ended has its result");
        Assert.Equal(_stuck.Request.Id, (await Assert.ThrowsAsync<CallTimeoutException>(() => _stuck.Settled.Within("the one that was executing settles"))).CallId);
        await Task.WhenAll(behind.Select(call => call.Settled)).Within("the others settle");
        Assert.Null(rig.Pool.LastError);
        await rig.StopAsync();
    }

    [Theory]
    [InlineData(false, new[] { 1, 2, 3, 3, 3, 3 })]
    [InlineData(false, new[] { 0, 1, 2, 3 })]
    [InlineData(false, new[] { 1, 9, 2, 9 })]
    [InlineData(true, new[] { 0 })]
    public async Task A_sandbox_that_lies_about_what_it_has_begun_wins_no_more_than_the_same_time_again_and_a_second(bool saysItHasEnded, int[] lies)
    {
        var look = 0;
        var first = _stage.Executing(_stuck, new TaskCompletionSource<CallReply>().Task);
        var rig = await StartAsync(options => options.CallTimeout = Limit, first);
        await rig.PutAsync(3);
        await rig.PutAsync(_stuck);
        Invocation[] chunk = [_stuck, .. await rig.PutAsync(3)];
        var since = await _stage.BeginAsync(rig, first);
        Assert.Equal([2, 4], first.Chunks);
        await ChunkStage.PassAsync(rig, () => first.Killed, () => first.Mark = new RecorderMark(lies[look++ % lies.Length] is var lie && lie < 4 ? chunk[lie].Request.Id : 0, 0, saysItHasEnded ? _stuck.Request.Id : 0));
        Assert.InRange(rig.Time.GetElapsedTime(since), Limit, (saysItHasEnded ? Limit : 2 * Limit) + TimeSpan.FromSeconds(1) + 2 * Look);
        await rig.StopAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_has_ended_when_its_worker_is_about_to_be_killed_is_waited_for_a_second(bool replies)
    {
        var held = new TaskCompletionSource<CallReply>();
        var first = _stage.Executing(_slow, held.Task);
        var rig = await StartAsync(options => options.CallTimeout = Limit, first);
        var calls = await rig.PutAsync(3);
        await rig.PutAsync(_slow);
        calls.AddRange(await rig.PutAsync(3));
        await _stage.BeginAsync(rig, first);
        await ChunkStage.PassAsync(rig, () => first.Asked.Task.IsCompleted);

        // It is not executing any more: its reply is on its way.
        first.Mark = new RecorderMark(0, 0, 0);
        rig.Time.Advance(Grace);
        Assert.False(first.Killed, "Expected the reply to be waited for.");
        if (replies)
        {
            held.SetResult(Some.Reply);
        }
        else
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            Assert.True(first.Killed, "Expected the reply to be waited for no longer.");
        }

        await Assert.ThrowsAsync<CallTimeoutException>(() => _slow.Settled.Within("the slow call settles"));
        await Task.WhenAll(calls.Select(call => call.Settled)).Within("the others settle");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_sandbox_that_gives_back_what_it_executes_is_killed_when_its_time_is_up()
    {
        var other = new FakeWorker("w");
        var busy = new TaskCompletionSource<CallReply>();
        other.OnInvoke = (_, _) => busy.Task;
        var first = _stage.Executing(_stuck, new TaskCompletionSource<CallReply>().Task);
        first.OnRevoke = ids => ids;
        var rig = await new PoolRig(number => number == 1 ? first : number == 2 ? other : PoolRig.Answering(), options => (options.Workers, options.CallTimeout) = (2, Limit)).StartedAsync();
        var calls = await rig.PutAsync(2);
        await rig.PutAsync(_stuck);
        calls.AddRange(await rig.PutAsync(2));
        await _stage.BeginAsync(rig, first);
        Assert.Equal([2], first.Chunks);
        other.OnInvoke = (_, _) => Task.FromResult(Some.Reply);
        busy.SetResult(Some.Reply);
        var since = rig.Time.GetTimestamp();
        await ChunkStage.PassAsync(rig, () => first.Killed);
        Assert.True(rig.Time.GetElapsedTime(since) > Limit, "Expected it to have its time.");
        await _stuck.Settled.Within("the call that was given back is made by the other worker");
        await Until.HoldsAsync(() => rig.Pool.LastError is WorkerCrashedException { Reason: CrashReason.ProtocolViolation }, "its death is its own fault");
        await Task.WhenAll(calls.Select(call => call.Settled)).Within("the others settle");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_call_whose_caller_leaves_just_as_it_begins_ends_its_worker_after_the_grace()
    {
        using var leaves = new CancellationTokenSource();
        var left = Some.Call(token: leaves.Token);
        var first = _stage.Executing(left, new TaskCompletionSource<CallReply>().Task);
        var rig = await StartAsync(options => options.CancelGrace = Limit, first);
        await rig.PutAsync(3);
        await rig.PutAsync(left);
        var calls = await rig.PutAsync(3);
        await _stage.BeginAsync(rig, first);
        var mark = first.Mark;
        first.Mark = new RecorderMark(0, 0, 0);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left.Settled.Within("the caller is let go"));
        first.Mark = mark;
        var since = rig.Time.GetTimestamp();
        await ChunkStage.PassAsync(rig, () => first.Killed);
        Assert.InRange(rig.Time.GetElapsedTime(since), Limit, Limit + 2 * Look);
        await Task.WhenAll(calls.Select(call => call.Settled)).Within("the others settle");
        await rig.StopAsync();
    }

    private static async Task<PoolRig> StartAsync(Action<SandboxPoolOptions> change, FakeWorker first) =>
        await new PoolRig(number => number == 1 ? first : PoolRig.Answering(), options =>
        {
            options.CancelGrace = Grace;
            change(options);
        }).StartedAsync();
}
