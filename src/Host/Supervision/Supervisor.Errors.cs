using ProcessPool.Diagnostics;
using ProcessPool.Scheduling;

namespace ProcessPool.Supervision;

/// <content>Why calls fail in the queue, and where a fault was.</content>
internal sealed partial class Supervisor : IQueueErrors
{
    public FaultSite SiteOf(Invocation call, Incarnation incarnation) =>
        SiteOf(incarnation) with { CallId = call.Request.Id, EntryPoint = call.Request.EntryPoint, Execution = call.Execution };

    public FaultSite SiteOf(Incarnation incarnation) =>
        new(PoolName, incarnation.Worker.Name, incarnation.Worker.ProcessId, Incarnation: incarnation.Number);

    Exception IQueueErrors.Full(Invocation call, QueueStatus status) =>
        CallRejectedException.QueueFull(Describe(status), SiteOf(call));

    Exception IQueueErrors.TimedOut(Invocation call, TimeSpan timeout, QueueStatus status) =>
        CallTimeoutException.WhileQueued(timeout, Describe(status), SiteOf(call));

    private string Describe(QueueStatus status) =>
        FormattableString.Invariant($"{status.Length} calls wait, the oldest for {status.OldestAge.TotalSeconds:0.0} s; {View.Busy} of {_slots.Length} workers are busy");

    private Exception Refuse(Invocation call) => new CallRejectedException(RejectionReason.Stopped, SiteOf(call));

    private FaultSite SiteOf(Invocation call) => new(PoolName, CallId: call.Request.Id, EntryPoint: call.Request.EntryPoint, Execution: call.Execution);
}
