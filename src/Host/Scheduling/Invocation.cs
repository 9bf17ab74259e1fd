using ProcessPool.Calls;
using ProcessPool.Protocol;
using ProcessPool.Supervision;
using ProcessPool.Telemetry;
using ProcessPool.Workers;

namespace ProcessPool.Scheduling;

/// <summary>What the host knows of an entry point from its metadata that decides how it is called.</summary>
/// <param name="AcceptsCancellation">It takes a token, so it can be asked to end before its worker is killed.</param>
/// <param name="Streams">Its result is a stream.</param>
/// <param name="Retries">How often it may be made again after a crash.</param>
internal readonly record struct CallTraits(bool AcceptsCancellation = false, bool Streams = false, int Retries = 0);

/// <summary>One call on its way: what was asked, how far it has come, and the one place where it is settled.</summary>
internal sealed class Invocation(CallRequest request, CallTraits traits, CallOptions options, Callbacks? callbacks, CancellationToken cancellationToken)
{
    /// <summary>What has larger arguments goes alone.</summary>
    public const int MaxTogetherBytes = 512;

    // Every 10 ms it is looked how calls that go together get on: how long one has taken, and how long those behind it have waited.
    private static readonly TimeSpan MinTogetherTimeout = TimeSpan.FromMilliseconds(100);

    private readonly TaskCompletionSource<SettledCall> _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CallLifecycle _life;
    private volatile bool _hasBegun;

    public CallRequest Request { get; } = request;

    public CallTraits Traits { get; } = traits;

    public CallOptions Options { get; } = options;

    /// <summary>What it may ask of the host; null: nothing.</summary>
    public Callbacks? Callbacks { get; } = callbacks;

    /// <summary>Where its items go, if its result is a stream.</summary>
    public CallStream? Stream { get; } = traits.Streams ? new CallStream() : null;

    /// <summary>Set when this is no call but asks for a worker of its own.</summary>
    public Lease? Lease { get; init; }

    /// <summary>Set when this is no call but calls of a map or a batch that go together.</summary>
    public Bundle? Bundle { get; init; }

    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>Where its end is counted; null: nowhere.</summary>
    public PoolCounts? Counts { get; init; }

    /// <summary>Ends exactly once.</summary>
    public Task<SettledCall> Settled => _settled.Task;

    public CallPhase Phase => _life.Phase;

    /// <summary>The thread that is about to wait busily for the reply, if it submits the call to a worker itself; 0: none.</summary>
    public int SpinningThread { get; set; }

    /// <summary>The worker whose reply that thread is to watch for, in place of the poller.</summary>
    public IWorker? Unwatched { get; set; }

    /// <summary>Whether plugin code may have run, on whichever worker.</summary>
    public Execution Execution => _hasBegun ? Execution.Started : Execution.NotStarted;

    /// <summary>How often it was handed to a worker that died and said it had not begun it.</summary>
    public int Returns { get; set; }

    /// <summary>It stood behind another call, and was taken back from a worker that took long over that one or died of it.</summary>
    public bool Moved { get; set; }

    /// <summary>How often it was made again after a crash.</summary>
    public int Retries { get; set; }

    /// <summary>The queue's own bookkeeping: it was taken before, and put back.</summary>
    public bool WasPutBack { get; set; }

    /// <summary>The queue's own bookkeeping: where the call is in it.</summary>
    public LinkedListNode<Invocation>? QueueNode { get; set; }

    /// <summary>The queue's own bookkeeping: in which of its lists.</summary>
    public WaitingCalls? QueuedIn { get; set; }

    /// <summary>The queue's own bookkeeping: when it came.</summary>
    public long QueuedAt { get; set; }

    /// <summary>The queue's own bookkeeping: when it was taken; 0 while it waits.</summary>
    public long TakenAt { get; set; }

    /// <summary>The queue's own bookkeeping: ends when it has its place, if it had to wait for one.</summary>
    public TaskCompletionSource? Room { get; set; }

    /// <summary>Whether it can be sent together with others: nothing about it needs a worker's whole attention.</summary>
    public bool CanGoTogether => Lease is null && Bundle is null && Stream is null && Callbacks?.HasLive != true && !Request.Measure && Request.Trace is not { State.Length: > MaxTogetherBytes } && MayGoTogether(Options.Timeout) && Returns == 0 && Retries == 0 && !Moved
        && Request.Payload.Length <= MaxTogetherBytes && Request.Attachments.Length == 0;

    /// <summary>Whether what may execute, or wait, for so long can be sent together with others; null: without end.</summary>
    public static bool MayGoTogether(TimeSpan? timeout) => timeout is null || timeout >= MinTogetherTimeout;

    /// <summary>Whether it can be sent after this one.</summary>
    public bool GoesWith(Invocation first) =>
        CanGoTogether && Request.EntryPoint == first.Request.EntryPoint && Options.Priority == first.Options.Priority && Options.AffinityKey is null;

    public void Assign() => _life.Fire(CallTrigger.Assign);

    public void Start()
    {
        _hasBegun = true;
        _life.Fire(CallTrigger.Start);
    }

    public void Return() => _life.Fire(CallTrigger.Return);

    public bool Succeed(SettledCall settled)
    {
        if (!Settle())
        {
            return false;
        }

        Counts?.Answered(this, settled.Reply.Status);
        return _settled.TrySetResult(settled);
    }

    public bool Fail(Exception error)
    {
        if (!Settle())
        {
            return false;
        }

        Counts?.Failing(this, error);
        return _settled.TrySetException(error);
    }

    public bool Cancel()
    {
        if (!Settle())
        {
            return false;
        }

        Counts?.Cancelled(this);
        return _settled.TrySetCanceled(CancellationToken);
    }

    private bool Settle()
    {
        if (_life.Fire(CallTrigger.Settle) == CallPhase.Settled)
        {
            return false;
        }

        Stream?.Complete();
        return true;
    }
}

/// <summary>A reply, where it came from, and what the host measured itself.</summary>
/// <param name="Reply">The reply.</param>
/// <param name="Call">The call.</param>
/// <param name="Incarnation">Who executed it.</param>
/// <param name="PoolName">Whose.</param>
/// <param name="QueueTime">How long it waited.</param>
/// <param name="PeakMemory">The most memory its worker was seen with, if that was asked for.</param>
internal sealed record SettledCall(CallReply Reply, Invocation Call, Incarnation Incarnation, string PoolName, TimeSpan QueueTime = default, long? PeakMemory = null)
{
    /// <summary>Where it came from, for an error.</summary>
    public FaultSite Site => new(
        PoolName, Incarnation.Worker.Name, Incarnation.Worker.ProcessId, Call.Request.Id, Call.Request.EntryPoint, Call.Execution, Incarnation.Number);
}
