using ProcessPool.Protocol;

namespace ProcessPool.Scheduling;

/// <summary>One call on its way: what was asked, and the one place where it is settled.</summary>
internal sealed class Invocation(CallRequest request, bool acceptsCancellation, CancellationToken cancellationToken)
{
    private readonly TaskCompletionSource<SettledCall> _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CallRequest Request { get; } = request;

    /// <summary>Whether the entry point takes a token, so that it can be asked to end before its worker is killed.</summary>
    public bool AcceptsCancellation { get; } = acceptsCancellation;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>Ends exactly once.</summary>
    public Task<SettledCall> Settled => _settled.Task;

    /// <summary>The queue's own bookkeeping: where the call is in it.</summary>
    public LinkedListNode<Invocation>? QueueNode { get; set; }

    public bool Succeed(CallReply reply, FaultSite site) => _settled.TrySetResult(new SettledCall(reply, site));

    public bool Fail(Exception error) => _settled.TrySetException(error);

    public bool Cancel() => _settled.TrySetCanceled(CancellationToken);
}

/// <summary>A reply, and where it came from.</summary>
internal sealed record SettledCall(CallReply Reply, FaultSite Site);
