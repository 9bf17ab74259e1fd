using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>What becomes of a call that a worker had: its result, its death, or its being told to end.</summary>
/// <param name="incarnation">The worker.</param>
/// <param name="call">The call.</param>
/// <param name="isLeased">The call is for this worker alone: it is never put back.</param>
/// <param name="settings">The pool's.</param>
/// <param name="supervisor">The pool's.</param>
internal readonly struct Settlement(Incarnation incarnation, Invocation call, bool isLeased, PoolSettings settings, Supervisor supervisor)
{
    /// <summary>How often a call goes back to the queue because its worker died "before it began it". That is the dead worker's own claim.</summary>
    private const int MaxReturns = 2;

    private FaultSite Site => supervisor.SiteOf(call, incarnation);

    private IWorker Worker => incarnation.Worker;

    /// <summary>It was answered.</summary>
    public void Finish(CallReply reply)
    {
        long? peak = null;
        if (call.Request.Measure)
        {
            Worker.ReadUse();
            peak = Worker.PeakMemory;
        }

        if (call.Stream is { } stream && reply.Error is null)
        {
            stream.Add(reply);
        }

        supervisor.CallFinishes();
        call.Succeed(new SettledCall(reply, call, incarnation, supervisor.PoolName, settings.Time.GetElapsedTime(call.QueuedAt, call.TakenAt), peak));
    }

    /// <summary>What is not known counts as begun.</summary>
    public void NoteExecution(RecorderMark? mark)
    {
        if (mark is null || mark.StartedCall == call.Request.Id || call.Callbacks is { WasUsed: true })
        {
            call.Start();
        }
    }

    /// <summary>Its worker has died.</summary>
    public void Blame(WorkerExit exit)
    {
        supervisor.WorkerDied(incarnation, exit, Site);
        Return(exit);
    }

    /// <summary>Puts it back, if it had not begun or may be made again; otherwise it fails.</summary>
    public void Return(WorkerExit exit)
    {
        var hasBegun = call.Phase == CallPhase.Executing;
        if (!isLeased && !hasBegun && call.Returns++ < MaxReturns)
        {
            supervisor.View.Counts.Retried("not_begun");
            settings.Logger.CallReturned(call.Request.Id, call.Request.EntryPoint, Worker.Name, Worker.ProcessId);
            supervisor.PutBack(call, isMoved: true);
        }
        else if (!isLeased && hasBegun && call.Stream is null && call.Retries < call.Traits.Retries)
        {
            call.Retries++;
            supervisor.View.Counts.Retried("crash");
            settings.Logger.CallRetried(call.Request.Id, call.Request.EntryPoint, Worker.Name, Worker.ProcessId, call.Retries, call.Traits.Retries);
            supervisor.PutBack(call);
        }
        else
        {
            supervisor.CallFinishes();
            call.Fail(new WorkerCrashedException(exit, Site, call.Returns));
        }
    }

    /// <summary>It was told to end, and has.</summary>
    public void End(CallWatch watch)
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
            CutOff();
        }
    }

    /// <summary>The pool stops.</summary>
    public void CutOff()
    {
        supervisor.CallCutOff();
        call.Fail(new CallRejectedException(RejectionReason.Stopped, Site));
    }
}
