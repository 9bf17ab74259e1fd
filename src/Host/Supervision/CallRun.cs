using System.Runtime.CompilerServices;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Telemetry;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>What a call leaves behind.</summary>
internal enum WorkerAfterCall
{
    /// <summary>Ready for the next call.</summary>
    Ready,

    /// <summary>Not to be used again, though it may live.</summary>
    Spent,

    /// <summary>Killed by the pool.</summary>
    Killed,

    /// <summary>Dead by itself.</summary>
    Died,
}

/// <summary>What became of a call and its worker.</summary>
/// <param name="Worker">What the call left behind.</param>
/// <param name="Reply">The sandbox's answer; null when there was none in time.</param>
internal readonly record struct CallRunEnd(WorkerAfterCall Worker, CallReply? Reply = null);

/// <summary>Runs one call on one worker and settles it. A call whose result is a stream is a request for each chunk of it.</summary>
/// <param name="incarnation">The worker.</param>
/// <param name="call">The call.</param>
/// <param name="isLeased">The call is for this worker alone: it is never put back.</param>
/// <param name="settings">The pool's.</param>
/// <param name="supervisor">The pool's.</param>
internal sealed class CallRun(Incarnation incarnation, Invocation call, bool isLeased, PoolSettings settings, Supervisor supervisor)
{
    private readonly IWorker _worker = incarnation.Worker;
    private CallReply? _lastReply;
    private EndReason _told;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<CallRunEnd> RunAsync(CancellationToken poolStopped)
    {
        if (call.CancellationToken.IsCancellationRequested)
        {
            call.Cancel();
            return new(WorkerAfterCall.Ready);
        }

        var (end, hasMore) = await RequestAsync(isFirst: true, poolStopped).ConfigureAwait(false);
        while (hasMore)
        {
            (end, hasMore) = await WaitForReaderAsync(poolStopped).ConfigureAwait(false) switch
            {
                { } settled => (settled, false),
                null when call.CancellationToken.IsCancellationRequested => (await LeaveAsync(poolStopped).ConfigureAwait(false), false),
                null => await RequestAsync(isFirst: false, poolStopped).ConfigureAwait(false),
            };
        }

        if (end.Worker is WorkerAfterCall.Spent or WorkerAfterCall.Killed)
        {
            incarnation.EndsBecause ??= WorkerEnd.Of(_told);
        }

        return end;
    }

    private Settlement Settlement => new(incarnation, call, isLeased, settings, supervisor);

    private FaultSite Site => supervisor.SiteOf(call, incarnation);

    private void Close(CallWatch watch)
    {
        watch.Close();
        _told = watch.Reason;
    }

    /// <summary>One request and its reply, watched.</summary>
    /// <returns>What it left behind, and whether the stream goes on; then the call is not settled yet.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<(CallRunEnd End, bool HasMore)> RequestAsync(bool isFirst, CancellationToken poolStopped)
    {
        using var watch = new CallWatch(call, _worker, settings).Arm(poolStopped);
        if (watch.Ask.IsCancellationRequested)
        {
            Close(watch);
            if (_lastReply is not null && !watch.Killed && watch.Reason == EndReason.Cancelled)
            {
                // The reader has just left.
                return (await LeaveAsync(poolStopped).ConfigureAwait(false), false);
            }

            Settlement.End(watch);
            return (new(watch.Killed ? WorkerAfterCall.Killed : _lastReply is null ? WorkerAfterCall.Ready : WorkerAfterCall.Spent, _lastReply), false);
        }

        try
        {
            var pending = isFirst ? _worker.InvokeAsync(call.Request, call.Callbacks, watch.Ask) : _worker.NextAsync(call.Request.Id, watch.Ask);
            if (call.SpinningThread == Environment.CurrentManagedThreadId)
            {
                call.Unwatched = _worker;
            }
            else
            {
                _worker.Watch();
            }

            var reply = await pending.ConfigureAwait(false);
            Close(watch);
            _lastReply = reply;
            var told = watch.Reason;
            call.Start();
            var left = watch.Killed ? WorkerAfterCall.Killed : told is EndReason.TimedOut or EndReason.PoolStopped ? WorkerAfterCall.Spent : WorkerAfterCall.Ready;
            var goesOn = reply.Status == CallStatus.Streaming && call.Stream is not null;
            if (goesOn && left == WorkerAfterCall.Ready)
            {
                call.Stream!.Add(reply);
                return (new(left, reply), true);
            }

            if (goesOn || told == EndReason.TimedOut || told == EndReason.Cancelled && reply.Status == CallStatus.PluginThrew)
            {
                Settlement.End(watch);
            }
            else
            {
                Settlement.Finish(reply);
                // A stream that nobody asked for is still open there.
                left = reply.Status == CallStatus.Streaming && left == WorkerAfterCall.Ready ? WorkerAfterCall.Spent : left;
            }

            return (new(left, reply), false);
        }
        catch (OperationCanceledException)
        {
            // Cancelled on the way out, or the connection broke after the plugin was asked: the two cannot be told apart. A worker that may be dying
            // must not get another call; one that answers is not, and has not seen this request.
            Close(watch);
            Settlement.NoteExecution(_worker.ReadMark());
            if (!watch.Killed && watch.Reason == EndReason.Cancelled)
            {
                return (await LeaveAsync(poolStopped).ConfigureAwait(false), false);
            }

            Settlement.End(watch);
            return (new(watch.Killed ? WorkerAfterCall.Killed : WorkerAfterCall.Spent), false);
        }
        catch (WorkerLostException lost)
        {
            Close(watch);
            Settlement.NoteExecution(lost.Exit.Mark);
            if (watch.Reason != EndReason.None)
            {
                Settlement.End(watch);
                return (new(watch.Killed ? WorkerAfterCall.Killed : WorkerAfterCall.Died), false);
            }

            Settlement.Blame(lost.Exit);
            return (new(WorkerAfterCall.Died), false);
        }
    }

    /// <summary>Waits until the stream's reader wants more.</summary>
    /// <returns>Null when it does or has left; otherwise the call is settled.</returns>
    private async Task<CallRunEnd?> WaitForReaderAsync(CancellationToken poolStopped)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(poolStopped, call.CancellationToken);
        var room = call.Stream!.WaitForRoomAsync(stop.Token);
        await ((Task)Task.WhenAny(room, _worker.Exited)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_worker.Exited.IsCompleted)
        {
            Settlement.Blame(await _worker.Exited.ConfigureAwait(false));
            return new(WorkerAfterCall.Died);
        }

        if (!poolStopped.IsCancellationRequested)
        {
            return null;
        }

        supervisor.CallCutOff();
        call.Fail(new CallRejectedException(RejectionReason.Stopped, Site));
        return new(WorkerAfterCall.Spent);
    }

    /// <summary>The caller has left between two requests: the plugin's iterator, if there is one, is disposed within the grace of a cancelled call.</summary>
    private async Task<CallRunEnd> LeaveAsync(CancellationToken poolStopped)
    {
        using var watch = new CallWatch(call, _worker, settings).Arm(poolStopped);
        var left = WorkerAfterCall.Ready;
        try
        {
            await _worker.EndAsync(call.Request.Id).ConfigureAwait(false);
        }
        catch (WorkerLostException lost)
        {
            left = WorkerAfterCall.Died;
            if (!watch.Killed)
            {
                supervisor.WorkerDied(incarnation, lost.Exit, Site);
            }
        }

        Close(watch);
        supervisor.CallFinishes();
        call.Cancel();
        return new(watch.Killed ? WorkerAfterCall.Killed : left, _lastReply);
    }
}
