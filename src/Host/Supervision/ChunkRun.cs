using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Telemetry;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>
/// Runs short calls that go together on one worker, and settles each of them as if it had come alone: by its reply; by its worker's death if it was the one that
/// had begun, while those before it have their results and those after it go back to the queue; by its caller, who may leave at any time; by its time limit. When one of
/// them takes long and another worker has nothing to do, those after it go there; where they may not wait for ever, they go back to the queue.
/// </summary>
/// <param name="incarnation">The worker.</param>
/// <param name="calls">The calls.</param>
/// <param name="settings">The pool's.</param>
/// <param name="supervisor">The pool's.</param>
internal sealed partial class ChunkRun(Incarnation incarnation, Chunk calls, PoolSettings settings, Supervisor supervisor)
{
    /// <summary>How often it is looked whether the calls go on.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);

    private readonly IWorker _worker = incarnation.Worker;
    private readonly Lock _gate = new();
    private readonly ChunkProgress _progress = new(calls);
    private readonly ChunkWatches _watches = new(calls, incarnation.Worker, settings);
    private readonly ChunkLimits _limits = new(calls, settings);
    private ITimer? _look;
    private readonly List<Task> _returning = [];
    private bool _isMoving;
    private bool _killed;
    private EndReason _told;
    private CancellationToken _poolStopped;
    private bool _isOver;

    /// <summary>How many have succeeded that nothing had happened to. They are not among those that are handed on.</summary>
    public int PlainSuccesses { get; private set; }

    /// <summary>Runs them all. Every reply is also handed to <paramref name="replied"/>.</summary>
    public async Task<WorkerAfterCall> RunAsync(Action<CallReply> replied, CancellationToken poolStopped)
    {
        _poolStopped = poolStopped;
        if (calls is Bundle { CancellationToken.IsCancellationRequested: true })
        {
            for (var i = 0; i < calls.Count; i++)
            {
                supervisor.CallFinishes();
                calls[i].Cancel();
            }

            return WorkerAfterCall.Ready;
        }

        var leaving = new List<CancellationTokenRegistration>();
        using var stop = poolStopped.UnsafeRegister(_ => _worker.Kill(), null);
        try
        {
            var pending = _worker.InvokeManyAsync(calls, (index, reply) => Answer(index, reply, replied), AnswerPlain);
            _worker.Watch();
            _look = settings.Time.CreateTimer(_ => LookAfter(), null, LookEvery, LookEvery);
            if (calls is Bundle bundle)
            {
                leaving.Add(bundle.CancellationToken.UnsafeRegister(_ => _ = LeaveAsync(), null));
            }

            for (var i = 0; i < calls.Count && calls is QueuedCalls; i++)
            {
                if (calls[i].CancellationToken.CanBeCanceled)
                {
                    var index = i;
                    leaving.Add(calls[i].CancellationToken.UnsafeRegister(_ => Leave(index), null));
                }
            }

            await pending.ConfigureAwait(false);
            await EndAsync().ConfigureAwait(false);
            return _killed ? WorkerAfterCall.Killed : _told == EndReason.None ? WorkerAfterCall.Ready : WorkerAfterCall.Spent;
        }
        catch (WorkerLostException lost)
        {
            await EndAsync().ConfigureAwait(false);
            Lose(lost.Exit, _killed);
            return _killed || poolStopped.IsCancellationRequested ? WorkerAfterCall.Killed : WorkerAfterCall.Died;
        }
        finally
        {
            leaving.ForEach(registration => registration.Dispose());
        }
    }

    private Settlement SettlementOf(int index) => new(incarnation, calls[index], isLeased: false, settings, supervisor);

    private bool AnswerPlain(int index, ReadOnlySpan<byte> json)
    {
        lock (_gate)
        {
            if (_isOver)
            {
                // Its worker counts as lost already.
                return true;
            }

            if (_progress.IsAnswered(index) || !calls.IsPlain(index))
            {
                return false;
            }

            _progress.Reply(index);
            PlainSuccesses++;
            calls.Succeed(index, json);
        }

        return true;
    }

    private void Answer(int index, CallReply reply, Action<CallReply> replied)
    {
        CallWatch? watch = null;
        lock (_gate)
        {
            if (_isOver || _progress.IsAnswered(index))
            {
                // Its worker counts as lost already, or it was taken back.
                return;
            }

            if (reply.Status == CallStatus.Skipped)
            {
                _progress.Take(index);
            }
            else
            {
                _progress.Reply(index);
            }

            watch = _watches.Take(index);
        }

        watch?.Dispose();
        var isTimedOut = watch is { Reason: EndReason.TimedOut };
        if (watch is { Killed: true } || isTimedOut)
        {
            _killed |= watch!.Killed;
            _told = watch.Reason;
        }

        if (reply.Status == CallStatus.Skipped && !isTimedOut)
        {
            if (!calls.IsSettled(index))
            {
                // It was taken back, and this says so sooner than the answer to that.
                supervisor.PutBack(calls[index], isMoved: true);
            }

            return;
        }

        replied(reply);
        if (watch is null or { Reason: EndReason.None } && calls.IsSettled(index))
        {
            // Its caller left before it began.
            return;
        }

        if (reply.Status != CallStatus.Skipped)
        {
            calls[index].Start();
        }

        if (isTimedOut || watch is { Reason: EndReason.Cancelled } && reply.Status == CallStatus.PluginThrew)
        {
            SettlementOf(index).End(watch!);
        }
        else
        {
            SettlementOf(index).Finish(reply);
        }
    }

    /// <summary>Its caller has left. One that has not begun is skipped; one that executes is asked to end, and ends its worker if it does not.</summary>
    private void Leave(int index)
    {
        Invocation call;
        CallWatch? watch = null;
        lock (_gate)
        {
            if (_isOver || _progress.IsAnswered(index) || _watches.Has(index))
            {
                return;
            }

            call = calls[index];
            if (_worker.ReadMark() is not { } mark || mark.StartedCall == call.Request.Id)
            {
                watch = _watches.Add(index, wasBegun: true);
            }
        }

        if (watch is not null)
        {
            watch.Arm(_poolStopped);
            return;
        }

        // It may begin in this very moment: the next look finds it.
        _worker.Cancel(call.Request.Id);
        if (call.Cancel())
        {
            supervisor.CallFinishes();
        }
    }

    /// <summary>Nothing is watched any more, and what was taken back has gone where it goes.</summary>
    private async Task EndAsync()
    {
        List<CallWatch> watches;
        lock (_gate)
        {
            _isOver = true;
            watches = _watches.All;
        }

        _look?.Dispose();
        await Task.WhenAll(_returning).ConfigureAwait(false);
        watches.ForEach(watch => watch.Dispose());
        if (watches.Find(watch => watch.Killed) is { } last)
        {
            (_killed, _told) = (true, last.Reason);
        }

        if (_told != EndReason.None)
        {
            incarnation.EndsBecause ??= WorkerEnd.Of(_poolStopped.IsCancellationRequested ? EndReason.PoolStopped : _told);
        }
    }

    private void Lose(WorkerExit exit, bool killed)
    {
        var open = _progress.Unanswered.ToList();
        if (_poolStopped.IsCancellationRequested)
        {
            open.ForEach(index => SettlementOf(index).CutOff());
            return;
        }

        // Who began last has done it. Where the recorder cannot be read, it is the first one without a reply.
        var began = exit.Mark is { } mark ? open.FindIndex(index => calls.IdOf(index) == mark.StartedCall) : open.Count > 0 ? 0 : -1;
        supervisor.Chunks.Failed(calls.EntryPoint);
        for (var i = 0; i <= began; i++)
        {
            calls[open[i]].Start();
        }

        if (!killed)
        {
            supervisor.WorkerDied(incarnation, exit, began >= 0 ? supervisor.SiteOf(calls[open[began]], incarnation) : null);
        }

        // From the last one on, so that the first one is first in the queue again.
        for (var i = open.Count - 1; i >= 0; i--)
        {
            var settlement = SettlementOf(open[i]);
            if (calls.HasAsked(open[i]))
            {
                calls[open[i]].Start();
            }

            if (_watches.Told(open[i]) is { } watch)
            {
                settlement.End(watch);
            }
            else if (calls[open[i]].Phase != CallPhase.Settled)
            {
                settlement.Return(exit);
            }
        }
    }
}
