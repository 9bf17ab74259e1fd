using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>
/// Runs short calls that go together on one worker, and settles each of them as if it had come alone: by its reply; by its worker's death if it was the one that
/// had begun, while those before it have their results and those after it go back to the queue; by its caller, who may leave at any time.
/// </summary>
/// <param name="incarnation">The worker.</param>
/// <param name="calls">The calls.</param>
/// <param name="settings">The pool's.</param>
/// <param name="supervisor">The pool's.</param>
internal sealed class ChunkRun(Incarnation incarnation, List<Invocation> calls, PoolSettings settings, Supervisor supervisor)
{
    private readonly IWorker _worker = incarnation.Worker;
    private readonly Lock _gate = new();
    private readonly bool[] _answered = new bool[calls.Count];
    private Dictionary<int, CallWatch>? _watches;
    private List<ITimer>? _later;
    private CancellationToken _poolStopped;
    private bool _isOver;

    /// <summary>Runs them all. Every reply is also handed to <paramref name="replied"/>.</summary>
    public async Task<WorkerAfterCall> RunAsync(Action<CallReply> replied, CancellationToken poolStopped)
    {
        _poolStopped = poolStopped;
        var leaving = new List<CancellationTokenRegistration>();
        using var stop = poolStopped.UnsafeRegister(_ => _worker.Kill(), null);
        try
        {
            var pending = _worker.InvokeManyAsync(calls, (index, reply) => Answer(index, reply, replied));
            _worker.Watch();
            for (var i = 0; i < calls.Count; i++)
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

    private void Answer(int index, CallReply reply, Action<CallReply> replied)
    {
        CallWatch? watch = null;
        lock (_gate)
        {
            _answered[index] = true;
            _watches?.Remove(index, out watch);
        }

        watch?.Dispose();
        replied(reply);
        if (watch is null && calls[index].Phase == CallPhase.Settled)
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
        var call = calls[index];
        lock (_gate)
        {
            if (_isOver || _answered[index] || _watches?.ContainsKey(index) == true)
            {
                return;
            }

            if (_worker.ReadMark() is { } mark && mark.StartedCall != call.Request.Id)
            {
                // It may begin in this very moment: looked at again.
                (_later ??= []).Add(settings.Time.CreateTimer(_ => Leave(index), null, settings.CancelGrace, Timeout.InfiniteTimeSpan));
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

    /// <summary>Nothing is watched any more.</summary>
    /// <returns>Whether a call's end was that of its worker.</returns>
    private bool End()
    {
        List<CallWatch> watches;
        lock (_gate)
        {
            _isOver = true;
            watches = [.. _watches?.Values ?? Enumerable.Empty<CallWatch>()];
            _later?.ForEach(timer => timer.Dispose());
        }

        watches.ForEach(watch => watch.Dispose());
        return watches.Exists(watch => watch.Killed);
    }

    private void Lose(WorkerExit exit, bool killed)
    {
        var open = Enumerable.Range(0, calls.Count).Where(index => !_answered[index]).ToList();
        if (_poolStopped.IsCancellationRequested)
        {
            open.ForEach(index => SettlementOf(index).CutOff());
            return;
        }

        // Who began last has done it. Where that is not known, in debug mode, it is the first one without a reply.
        var began = exit.Mark is { } mark ? open.FindIndex(index => calls[index].Request.Id == mark.StartedCall) : open.Count > 0 ? 0 : -1;
        supervisor.Chunks.Failed(calls[0].Request.EntryPoint);
        if (!killed)
        {
            supervisor.WorkerDied(incarnation, exit, began >= 0 ? supervisor.SiteOf(calls[open[began]], incarnation) : null);
        }

        // From the last one on, so that the first one is first in the queue again.
        for (var i = open.Count - 1; i >= 0; i--)
        {
            var settlement = SettlementOf(open[i]);
            if (i <= began)
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
