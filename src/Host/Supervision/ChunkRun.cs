using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Telemetry;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>
/// Runs short calls that go together on one worker, and settles each of them as if it had come alone: by its reply; by its worker's death if it was the one that
/// had begun, while those before it have their results and those after it go back to the queue; by its caller, who may leave at any time. When one of them takes
/// long and another worker has nothing to do, those after it go there.
/// </summary>
/// <param name="incarnation">The worker.</param>
/// <param name="calls">The calls.</param>
/// <param name="settings">The pool's.</param>
/// <param name="supervisor">The pool's.</param>
internal sealed class ChunkRun(Incarnation incarnation, Chunk calls, PoolSettings settings, Supervisor supervisor)
{
    /// <summary>How often it is looked whether the calls go on.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);

    /// <summary>A call that was to be skipped and may have begun all the same is looked at again after so long at least.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    private readonly IWorker _worker = incarnation.Worker;
    private readonly Lock _gate = new();
    private readonly bool[] _answered = new bool[calls.Count];
    private Dictionary<int, CallWatch>? _watches;
    private Dictionary<int, ITimer>? _later;
    private ITimer? _look;
    private int _answers;
    private (int Answers, long Begun) _seen = (0, -1);
    private bool _killed;
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
            return End() ? WorkerAfterCall.Killed : WorkerAfterCall.Ready;
        }
        catch (WorkerLostException lost)
        {
            var killed = End();
            Lose(lost.Exit, killed);
            return killed || poolStopped.IsCancellationRequested ? WorkerAfterCall.Killed : WorkerAfterCall.Died;
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

            if (_answered[index] || !calls.IsPlain(index))
            {
                return false;
            }

            _answered[index] = true;
            _answers++;
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
            if (_isOver || _answered[index])
            {
                // Its worker counts as lost already, or it was taken back.
                return;
            }

            _answered[index] = true;
            _answers++;
            _watches?.Remove(index, out watch);
        }

        watch?.Dispose();
        _killed |= watch is { Killed: true };
        if (reply.Status == CallStatus.Skipped)
        {
            if (!calls.IsSettled(index))
            {
                // It was taken back, and this says so sooner than the answer to that.
                calls[index].Moved = true;
                supervisor.PutBack(calls[index]);
            }

            return;
        }

        replied(reply);
        if (watch is null && calls.IsSettled(index))
        {
            // Its caller left before it began.
            return;
        }

        calls[index].Start();
        if (watch is { Reason: EndReason.Cancelled } && reply.Status == CallStatus.PluginThrew)
        {
            SettlementOf(index).End(watch);
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
        lock (_gate)
        {
            if (_isOver || _answered[index] || _watches?.ContainsKey(index) == true)
            {
                return;
            }

            call = calls[index];

            if (_worker.ReadMark() is { } mark && mark.StartedCall != call.Request.Id)
            {
                // It may begin in this very moment: looked at again.
                var after = settings.CancelGrace > LookAgain ? settings.CancelGrace : LookAgain;
                _later ??= [];
                if (_later.TryGetValue(index, out var timer))
                {
                    timer.Change(after, Timeout.InfiniteTimeSpan);
                }
                else
                {
                    _later.Add(index, settings.Time.CreateTimer(_ => Leave(index), null, after, Timeout.InfiniteTimeSpan));
                }
            }
            else
            {
                (_watches ??= []).Add(index, new CallWatch(call, _worker, settings, _poolStopped));
                _worker.Cancel(call.Request.Id);
                return;
            }
        }

        _worker.Cancel(call.Request.Id);
        if (call.Cancel())
        {
            supervisor.CallFinishes();
        }
    }

    /// <summary>Whether the calls go on; if not, and somebody else could run them, those that have not begun go back to the queue.</summary>
    private void LookAfter()
    {
        List<int> open;
        lock (_gate)
        {
            // What the worker has begun counts too: its answers may be here, and nobody has come to read them yet.
            var begun = _worker.ReadMark()?.StartedCall ?? 0;
            var goesOn = (_answers, begun) != _seen;
            _seen = (_answers, begun);
            if (_isOver || goesOn || !supervisor.Queue.HasIdleTaker)
            {
                return;
            }

            open = Open_NeedsLock();
        }

        if (open.Count > 1)
        {
            _ = MoveAsync(open);
        }
    }

    private List<int> Open_NeedsLock() => Enumerable.Range(0, calls.Count).Where(index => !_answered[index] && calls.IsAssigned(index)).ToList();

    private async Task MoveAsync(List<int> open)
    {
        foreach (var call in await RevokeAsync(open).ConfigureAwait(false))
        {
            call.Moved = true;
            supervisor.PutBack(call);
        }
    }

    /// <summary>Whoever wants all of them has left.</summary>
    private async Task LeaveAsync()
    {
        List<int> open;
        lock (_gate)
        {
            open = Open_NeedsLock();
        }

        foreach (var call in await RevokeAsync(open).ConfigureAwait(false))
        {
            supervisor.CallFinishes();
            call.Cancel();
        }

        open.ForEach(Leave);
    }

    /// <summary>Takes back those that have not begun.</summary>
    /// <returns>Them, from the last one on: put back one by one, the first one is first in the queue again.</returns>
    private async Task<List<Invocation>> RevokeAsync(List<int> open)
    {
        var revoked = (await _worker.RevokeAsync(open.ConvertAll(calls.IdOf)).ConfigureAwait(false)).ToHashSet();
        var taken = new List<Invocation>();
        for (var i = open.Count - 1; i >= 0; i--)
        {
            lock (_gate)
            {
                if (_isOver || _answered[open[i]] || !revoked.Contains(calls.IdOf(open[i])) || calls.IsSettled(open[i]))
                {
                    continue;
                }

                _answered[open[i]] = true;
                taken.Add(calls[open[i]]);
            }
        }

        return taken;
    }

    /// <summary>Nothing is watched any more.</summary>
    /// <returns>Whether a call's end was that of its worker.</returns>
    private bool End()
    {
        List<CallWatch> watches;
        lock (_gate)
        {
            _isOver = true;
            watches = [.. _watches?.Values ?? Enumerable.Empty<CallWatch>()];
            foreach (var timer in _later?.Values ?? Enumerable.Empty<ITimer>())
            {
                timer.Dispose();
            }
        }

        _look?.Dispose();
        watches.ForEach(watch => watch.Dispose());
        if (_killed || watches.Exists(watch => watch.Killed))
        {
            incarnation.EndsBecause ??= WorkerEnd.Of(_poolStopped.IsCancellationRequested ? EndReason.PoolStopped : EndReason.Cancelled);
            return true;
        }

        return false;
    }

    private void Lose(WorkerExit exit, bool killed)
    {
        var open = Enumerable.Range(0, calls.Count).Where(index => !_answered[index]).ToList();
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
            if (calls[open[i]].Callbacks is { WasUsed: true })
            {
                calls[open[i]].Start();
            }

            if (calls[open[i]].Phase == CallPhase.Settled && _watches?.ContainsKey(open[i]) != true)
            {
                continue;
            }

            if (_watches?.GetValueOrDefault(open[i]) is { } watch)
            {
                settlement.End(watch);
            }
            else
            {
                settlement.Return(exit);
            }
        }
    }
}
