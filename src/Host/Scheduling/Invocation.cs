using ProcessPool.Protocol;

namespace ProcessPool.Scheduling;

/// <summary>One call on its way: what was asked, how far it has come, and the one place where it is settled.</summary>
internal sealed class Invocation(CallRequest request, bool acceptsCancellation, CallOptions options, CancellationToken cancellationToken)
{
    private readonly TaskCompletionSource<SettledCall> _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CallLifecycle _life = new();

    public CallRequest Request { get; } = request;

    /// <summary>Whether the entry point takes a token, so that it can be asked to end before its worker is killed.</summary>
    public bool AcceptsCancellation { get; } = acceptsCancellation;

    public CallOptions Options { get; } = options;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>Ends exactly once.</summary>
    public Task<SettledCall> Settled => _settled.Task;

    public CallPhase Phase => _life.Phase;

    /// <summary>Whether plugin code may have run.</summary>
    public Execution Execution => Phase >= CallPhase.Executing ? Execution.Started : Execution.NotStarted;

    /// <summary>How often it was handed to a worker that died and said it had not begun it.</summary>
    public int Returns { get; set; }

    /// <summary>The queue's own bookkeeping: it was taken before, and put back.</summary>
    public bool WasPutBack => TakenAt != 0;

    /// <summary>The queue's own bookkeeping: where the call is in it.</summary>
    public LinkedListNode<Invocation>? QueueNode { get; set; }

    /// <summary>The queue's own bookkeeping: when it came.</summary>
    public long QueuedAt { get; set; }

    /// <summary>The queue's own bookkeeping: when it was taken last.</summary>
    public long TakenAt { get; set; }

    /// <summary>The queue's own bookkeeping: ends when it has its place, if it had to wait for one.</summary>
    public TaskCompletionSource? Room { get; set; }

    public void Assign() => _life.Fire(CallTrigger.Assign);

    public void Start() => _life.Fire(CallTrigger.Start);

    public void Return() => _life.Fire(CallTrigger.Return);

    public bool Succeed(CallReply reply, FaultSite site) => Settle() && _settled.TrySetResult(new SettledCall(reply, site));

    public bool Fail(Exception error) => Settle() && _settled.TrySetException(error);

    public bool Cancel() => Settle() && _settled.TrySetCanceled(CancellationToken);

    private bool Settle() => _life.Fire(CallTrigger.Settle) != CallPhase.Settled;
}

/// <summary>A reply, and where it came from.</summary>
internal sealed record SettledCall(CallReply Reply, FaultSite Site);
