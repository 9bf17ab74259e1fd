using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Telemetry;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>
/// Runs short calls that go together on one worker, and settles each of them as if it had come alone: by its reply; by its worker's death if it was the one that
/// had begun, while those before it have their results and those after it go back to the queue; by its caller, who may leave at any time; by its time limit. When one of
/// them takes long and another worker has nothing to do, those after it go there; where it is limited how long they wait, they wait in the queue.
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
    private readonly ChunkProgress _progress = new(calls);
    private Dictionary<int, CallWatch>? _watches;
    private Dictionary<int, ITimer>? _later;
    private ITimer? _look;
    private long? _doneAt;
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
            return End() ? WorkerAfterCall.Killed : _told == EndReason.None ? WorkerAfterCall.Ready : WorkerAfterCall.Spent;
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

            if (_progress.IsAnswered(index) || !calls.IsPlain(index))
            {
                return false;
            }

            _progress.Answered(index);
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

            _progress.Answered(index);
            _watches?.Remove(index, out watch);
        }

        watch?.Dispose();
        var isTimedOut = watch is { Reason: EndReason.TimedOut };
        if (watch is { Killed: true } || isTimedOut)
        {
            _killed |= watch!.Killed;
            _told = watch.Reason;
        }

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
        if (watch is null or { Reason: EndReason.None } && calls.IsSettled(index))
        {
            // Its caller left before it began.
            return;
        }

        calls[index].Start();
        if (isTimedOut || watch is { Reason: EndReason.Cancelled } && reply.Status == CallStatus.PluginThrew)
        {
            SettlementOf(index).End(watch!);
            if (isTimedOut)
            {
                // It has ended when it was asked, but its worker is to be replaced: those that have not begun go elsewhere.
                _ = MoveAsync();
            }
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
            if (_isOver || _progress.IsAnswered(index) || _watches?.ContainsKey(index) == true)
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
                Watch_NeedsLock(index);
                return;
            }
        }

        _worker.Cancel(call.Request.Id);
        if (call.Cancel())
        {
            supervisor.CallFinishes();
        }
    }

    private void Watch_NeedsLock(int index)
    {
        var call = calls[index];
        var watch = new CallWatch(call, _worker, settings, _poolStopped);
        (_watches ??= []).Add(index, watch);
        watch.Ask.UnsafeRegister(_ => _worker.Cancel(call.Request.Id), null);
    }

    /// <summary>
    /// Whether the calls go on. If not, the one that executes is watched from now on, if its time is limited; and those that have not begun go back to the queue, if
    /// somebody else could run them or the time is limited that they wait.
    /// </summary>
    private void LookAfter()
    {
        lock (_gate)
        {
            if (_isOver || !_progress.StandsStill(_worker.ReadMark(), out var current))
            {
                return;
            }

            if (current < 0)
            {
                KillWhenOverdue_NeedsLock();
                return;
            }

            if ((calls.TimeoutOf(current) ?? settings.CallTimeout) is not null && _watches?.ContainsKey(current) != true)
            {
                Watch_NeedsLock(current);
            }
        }

        if (supervisor.Queue.HasIdleTaker || settings.QueueTimeout is not null)
        {
            _ = MoveAsync();
        }
    }

    // What was taken back is to be answered too, at once. A sandbox that gives back what it executes wins no time.
    private void KillWhenOverdue_NeedsLock()
    {
        _doneAt ??= settings.Time.GetTimestamp();
        if ((settings.CallTimeout ?? calls.TimeoutOf(0)) is { } limit && settings.Time.GetElapsedTime(_doneAt.Value) > limit)
        {
            _worker.Kill(CrashReason.ProtocolViolation);
        }
    }

    /// <summary>Those that have not begun go back to the queue.</summary>
    private async Task MoveAsync()
    {
        List<int> open;
        lock (_gate)
        {
            open = _progress.Open;
            if (_isOver || !open.Exists(_progress.IsBehind))
            {
                return;
            }
        }

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
            open = _progress.Open;
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
            CallWatch? watch = null;
            lock (_gate)
            {
                if (_isOver || _progress.IsAnswered(open[i]) || !revoked.Contains(calls.IdOf(open[i])) || calls.IsSettled(open[i]))
                {
                    continue;
                }

                _progress.Answered(open[i]);
                _watches?.Remove(open[i], out watch);
                taken.Add(calls[open[i]]);
            }

            watch?.Dispose();
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
        if (watches.Find(watch => watch.Killed) is { } last)
        {
            (_killed, _told) = (true, last.Reason);
        }

        if (_told != EndReason.None)
        {
            incarnation.EndsBecause ??= WorkerEnd.Of(_poolStopped.IsCancellationRequested ? EndReason.PoolStopped : _told);
        }

        return _killed;
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
            if (calls[open[i]].Callbacks is { WasUsed: true })
            {
                calls[open[i]].Start();
            }

            if (_watches?.GetValueOrDefault(open[i]) is { } watch && watch.Reason != EndReason.None)
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
