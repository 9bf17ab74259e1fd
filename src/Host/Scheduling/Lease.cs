using ProcessPool.Supervision;

namespace ProcessPool.Scheduling;

/// <summary>A worker for one user: its calls have a queue of their own, which only that worker serves.</summary>
internal sealed class Lease(InvocationQueue queue)
{
    private readonly TaskCompletionSource<FaultSite> _granted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public InvocationQueue Queue => queue;

    /// <summary>The version of the plugin that its worker serves.</summary>
    public PluginVersion? Version { get; init; }

    /// <summary>Ends with the worker when there is one.</summary>
    public Task<FaultSite> Granted => _granted.Task;

    /// <summary>Ends when the worker is the pool's again, or gone.</summary>
    public Task Ended => _ended.Task;

    public void Grant(FaultSite worker) => _granted.TrySetResult(worker);

    /// <summary>The worker is needed no more, once it has done what was asked before.</summary>
    public void Release(string pool) => queue.Drain(call => new CallRejectedException(RejectionReason.LeaseEnded, SiteOf(pool, call)));

    /// <summary>The worker serves others again, or nobody.</summary>
    /// <param name="refuse">For calls that it has not served; null: there are none, it was released.</param>
    /// <returns>How many there were.</returns>
    public int End(Func<Invocation, Exception>? refuse)
    {
        var refused = refuse is null ? 0 : queue.Close(refuse);
        queue.Dispose();
        _ended.TrySetResult();
        return refused;
    }

    private static FaultSite SiteOf(string pool, Invocation call) => new(pool, CallId: call.Request.Id, EntryPoint: call.Request.EntryPoint);
}
