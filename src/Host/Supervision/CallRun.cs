using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
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

/// <summary>Runs one call on one worker and settles it.</summary>
internal sealed class CallRun(Incarnation incarnation, Invocation call, PoolSettings settings, Supervisor supervisor)
{
    /// <summary>How often a call goes back to the queue because its worker died "before it began it". That is the dead worker's own claim.</summary>
    private const int MaxReturns = 2;

    private readonly IWorker _worker = incarnation.Worker;

    public async Task<CallRunEnd> RunAsync(CancellationToken poolStopped)
    {
        if (call.CancellationToken.IsCancellationRequested)
        {
            call.Cancel();
            return new(WorkerAfterCall.Ready);
        }

        using var watch = new CallWatch(call, _worker, settings, poolStopped);
        if (watch.Ask.IsCancellationRequested)
        {
            watch.Close();
            Settle(watch);
            return new(watch.Killed ? WorkerAfterCall.Killed : WorkerAfterCall.Ready);
        }

        try
        {
            var reply = await _worker.InvokeAsync(call.Request, watch.Ask).ConfigureAwait(false);
            watch.Close();
            var told = watch.Reason;
            call.Start();
            if (told == EndReason.TimedOut || told == EndReason.Cancelled && reply.Status == CallStatus.PluginThrew)
            {
                Settle(watch);
            }
            else
            {
                supervisor.CallFinishes();
                call.Succeed(reply, Site);
            }

            return new(watch.Killed ? WorkerAfterCall.Killed : told is EndReason.TimedOut or EndReason.PoolStopped ? WorkerAfterCall.Spent : WorkerAfterCall.Ready, reply);
        }
        catch (OperationCanceledException)
        {
            // Cancelled on the way out, or the connection broke after the plugin was asked: the two cannot be told apart, and a worker
            // that may be dying must not get another call.
            watch.Close();
            NoteExecution(_worker.ReadMark());
            Settle(watch);
            return new(watch.Killed ? WorkerAfterCall.Killed : WorkerAfterCall.Spent);
        }
        catch (WorkerLostException lost)
        {
            watch.Close();
            NoteExecution(lost.Exit.Mark);
            if (watch.Reason != EndReason.None)
            {
                Settle(watch);
                return new(watch.Killed ? WorkerAfterCall.Killed : WorkerAfterCall.Died);
            }

            Blame(lost.Exit);
            return new(WorkerAfterCall.Died);
        }
    }

    private FaultSite Site => supervisor.SiteOf(call, incarnation);

    // What is not known counts as begun.
    private void NoteExecution(RecorderMark? mark)
    {
        if (mark is null || mark.StartedCall == call.Request.Id)
        {
            call.Start();
        }
    }

    private void Blame(WorkerExit exit)
    {
        supervisor.WorkerDied(incarnation, exit, Site);
        if (call.Execution == Execution.NotStarted && call.Returns++ < MaxReturns)
        {
            settings.Logger.CallReturned(call.Request.Id, call.Request.EntryPoint, _worker.Name, _worker.ProcessId);
            supervisor.PutBack(call);
        }
        else
        {
            supervisor.CallFinishes();
            call.Fail(new WorkerCrashedException(exit, Site, call.Returns));
        }
    }

    private void Settle(CallWatch watch)
    {
        if (watch.Reason == EndReason.Cancelled)
        {
            supervisor.CallFinishes();
            call.Cancel();
        }
        else if (watch.Reason == EndReason.TimedOut)
        {
            supervisor.CallFinishes();
            call.Fail(CallTimeoutException.WhileExecuting(watch.CallTimeout, Site));
        }
        else
        {
            supervisor.CallCutOff();
            call.Fail(new CallRejectedException(RejectionReason.Stopped, Site));
        }
    }
}
