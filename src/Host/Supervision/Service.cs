using System.Runtime.CompilerServices;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Telemetry;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>How a worker's time in a slot ended.</summary>
/// <param name="Death">How it died, if nobody had asked it to.</param>
/// <param name="Clean">It died, but said that all was well, and no call was hurt.</param>
/// <param name="Successor">Who takes its place, if that is ready already.</param>
internal readonly record struct ServiceEnd(WorkerExit? Death = null, bool Clean = false, Incarnation? Successor = null);

/// <summary>One worker's time in a slot: it serves calls until it dies, is spent, is recycled, or there are no more.</summary>
internal sealed class Service : IDisposable
{
    /// <summary>Of what is no call.</summary>
    private static readonly CallReply NoReply = new(CallStatus.Succeeded, default, [], null);

    private readonly Incarnation _incarnation;
    private readonly IWorker _worker;
    private readonly Func<long?> _readMemory;
    private readonly PoolSettings _settings;
    private readonly Workforce _workforce;
    private readonly Standby _standby;
    private readonly Supervisor _supervisor;
    private readonly Taker _taker;
    private Taker? _leaseTaker;
    private readonly RecycleRules _rules;
    private readonly ITimer _look;
    private readonly CancellationTokenSource _search = new();
    private Task<Incarnation?>? _successor;

    public Service(Incarnation incarnation, Taker taker, PoolSettings settings, Workforce workforce, Standby standby, Supervisor supervisor)
    {
        _incarnation = incarnation;
        _worker = incarnation.Worker;
        _readMemory = () => _worker.ReadUse()?.Resident;
        _settings = settings;
        _workforce = workforce;
        _standby = standby;
        _supervisor = supervisor;
        _taker = taker;
        _rules = new RecycleRules(settings.Recycle, settings.Time, incarnation.BornAt);
        _look = settings.Time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <param name="budget">The slot's; a completed call clears it.</param>
    /// <param name="poolStopped">Ends the service, and the call under way.</param>
    public async Task<ServiceEnd> RunAsync(RestartBudget budget, CancellationToken poolStopped)
    {
        using var stop = poolStopped.UnsafeRegister(_ => Wake(), null);
        _ = WakeAfterAsync(_worker.Exited);
        while (true)
        {
            if (_worker.Exited.IsCompleted)
            {
                return await DieAsync(poolStopped).ConfigureAwait(false);
            }

            if (poolStopped.IsCancellationRequested)
            {
                return await EndAsync(poolStopped).ConfigureAwait(false);
            }

            if (await SuccessorAsync(poolStopped).ConfigureAwait(false) is { } successor)
            {
                _incarnation.EndsBecause ??= WorkerEnd.Recycled;
                _supervisor.Retire(_incarnation);
                return new ServiceEnd(Successor: successor);
            }

            var call = await _taker.TakeAsync().ConfigureAwait(false);
            if (call is null)
            {
                if (_supervisor.Queue.IsDrained)
                {
                    return await EndAsync(poolStopped).ConfigureAwait(false);
                }
            }
            else if (_worker.HasExited)
            {
                // It never had the call in hand.
                _supervisor.PutBack(call);
                return await DieAsync(poolStopped).ConfigureAwait(false);
            }
            else if ((call.Lease is { } lease
                ? await ServeLeaseAsync(call, lease, budget, poolStopped).ConfigureAwait(false)
                : await ServeAsync(call, isLeased: false, budget, poolStopped).ConfigureAwait(false)) is { } end)
            {
                return end;
            }
        }
    }

    public void Dispose()
    {
        _look.Dispose();
        _search.Dispose();
    }

    /// <summary>Serves one user's calls until the worker is released; null when it is ready for others.</summary>
    private async Task<ServiceEnd?> ServeLeaseAsync(Invocation call, Lease lease, RestartBudget budget, CancellationToken poolStopped)
    {
        call.Start();
        _leaseTaker = new Taker(lease.Queue);
        ServiceEnd? end = null;

        // Calls of a key must not wait for a worker that is somebody's own.
        _supervisor.Queue.SetActive(_taker, false);
        lease.Grant(_supervisor.SiteOf(call, _incarnation));
        try
        {
            while (end is null && !(lease.Queue.IsDrained || poolStopped.IsCancellationRequested || _worker.HasExited))
            {
                if (await _leaseTaker.TakeAsync().ConfigureAwait(false) is { } next)
                {
                    end = await ServeAsync(next, isLeased: true, budget, poolStopped).ConfigureAwait(false);
                }
            }

            end ??= _worker.HasExited && !lease.Queue.IsDrained ? await DieAsync(poolStopped).ConfigureAwait(false) : null;
        }
        finally
        {
            _leaseTaker = null;
            _supervisor.Queue.SetActive(_taker, true);
            _supervisor.EndLease(lease, end?.Death, _incarnation);
        }

        call.Succeed(new SettledCall(NoReply, call, _incarnation, _supervisor.PoolName));
        return end;
    }

    // Whatever it waits for.
    private void Wake()
    {
        _taker.Wake();
        _leaseTaker?.Wake();
    }

    /// <summary>Runs one call; null when the worker is ready for the next.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ServiceEnd?> ServeAsync(Invocation call, bool isLeased, RestartBudget budget, CancellationToken poolStopped)
    {
        if (call.Bundle is { } bundle)
        {
            bundle.Incarnation = _incarnation;
            return await ServeAsync(bundle, call, budget, poolStopped).ConfigureAwait(false);
        }

        if (!isLeased && Together(call) is { } together)
        {
            return await ServeAsync(new QueuedCalls(together), null, budget, poolStopped).ConfigureAwait(false);
        }

        _supervisor.View.CallBegins();
        var since = _settings.Time.GetTimestamp();
        CallRunEnd end;
        try
        {
            _incarnation.Life.Fire(WorkerTrigger.Assign);
            end = await new CallRun(_incarnation, call, isLeased, _settings, _supervisor).RunAsync(poolStopped).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            call.Fail(exception);
            throw;
        }
        finally
        {
            _supervisor.View.CallEnds();
        }

        if (end.Reply is { } reply)
        {
            budget.Forgive();
            _rules.CallEnded(RecycleRules.RanOutOfMemory(reply), _readMemory);
        }

        if (end is { Worker: WorkerAfterCall.Ready, Reply: not null })
        {
            _supervisor.Chunks.Ran(call.Request.EntryPoint, 1, since);
        }

        return await AfterAsync(end.Worker, poolStopped).ConfigureAwait(false);
    }

    /// <summary>The calls that go together with this one; null: none do.</summary>
    private List<Invocation>? Together(Invocation call)
    {
        // Without a recorder (debug mode) nobody could say which of them has begun.
        var canGoTogether = call.CanGoTogether && Invocation.MayGoTogether(_settings.CallTimeout) && Invocation.MayGoTogether(_settings.QueueTimeout) && _worker.ProcessId is not null;
        var size = canGoTogether && _supervisor.Queue.Count > 0 ? Math.Min(_supervisor.Chunks.Of(call.Request.EntryPoint), _rules.CallsLeft) : 1;
        if (size < 2)
        {
            return null;
        }

        var calls = new List<Invocation>(size) { call };
        _supervisor.Queue.TakeMore(_taker, calls, size);
        return calls.Count > 1 ? calls : null;
    }

    /// <summary>Runs calls that go together; null when the worker is ready for the next.</summary>
    /// <param name="calls">The calls.</param>
    /// <param name="carrier">What stood for them in the queue, if anything did.</param>
    /// <param name="budget">The slot's.</param>
    /// <param name="poolStopped">Ends them.</param>
    private async Task<ServiceEnd?> ServeAsync(Chunk calls, Invocation? carrier, RestartBudget budget, CancellationToken poolStopped)
    {
        _supervisor.View.CallBegins();
        var since = _settings.Time.GetTimestamp();
        var run = new ChunkRun(_incarnation, calls, _settings, _supervisor);
        WorkerAfterCall end;
        try
        {
            _incarnation.Life.Fire(WorkerTrigger.Assign);
            end = await run.RunAsync(
                reply =>
                {
                    budget.Forgive();
                    _rules.CallEnded(RecycleRules.RanOutOfMemory(reply), _readMemory);
                },
                poolStopped).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            for (var i = 0; i < calls.Count; i++)
            {
                calls[i].Fail(exception);
            }

            throw;
        }
        finally
        {
            _supervisor.View.CallEnds();
            _supervisor.Queue.ChunkEnds();
            carrier?.Succeed(new SettledCall(NoReply, carrier, _incarnation, _supervisor.PoolName));
        }

        if (run.PlainSuccesses > 0)
        {
            budget.Forgive();
            _rules.CallsEnded(run.PlainSuccesses, _readMemory);
            _supervisor.CallFinishes(run.PlainSuccesses);
            _supervisor.View.Counts.Succeeded(carrier, calls.EntryPoint, run.PlainSuccesses);
        }

        if (end == WorkerAfterCall.Ready)
        {
            _supervisor.Chunks.Ran(calls.EntryPoint, calls.Count, since);
        }

        return await AfterAsync(end, poolStopped).ConfigureAwait(false);
    }

    private async ValueTask<ServiceEnd?> AfterAsync(WorkerAfterCall end, CancellationToken poolStopped)
    {
        switch (end)
        {
            case WorkerAfterCall.Ready:
                _incarnation.Life.Fire(WorkerTrigger.Settle);
                return null;
            case WorkerAfterCall.Spent:
                _incarnation.Life.Fire(WorkerTrigger.Settle);
                return await EndAsync(poolStopped).ConfigureAwait(false);
            case WorkerAfterCall.Killed:
                _incarnation.Life.Fire(WorkerTrigger.Kill);
                return await EndAsync(poolStopped).ConfigureAwait(false);
            default:
                var exit = await _worker.Exited.ConfigureAwait(false);
                return await EndAsync(poolStopped).ConfigureAwait(false) with { Death = exit };
        }
    }

    /// <summary>Who takes over now. Starts looking for a successor when the worker is due, and sets the clock for when it will be.</summary>
    private async ValueTask<Incarnation?> SuccessorAsync(CancellationToken poolStopped)
    {
        if (_successor is { IsCompleted: true })
        {
            var successor = await _successor.ConfigureAwait(false);
            _successor = null;
            if (successor is not null)
            {
                return successor;
            }

            _rules.Postpone(_settings.Restart.MaxDelay);
        }

        if (_successor is null && _rules.Due() is { } reason)
        {
            // A user's logger, and what a start does: not on the thread that reads the pipes.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            _settings.Logger.WorkerRecycled(_worker.Name, _worker.ProcessId, reason);
            _successor = FindSuccessorAsync();
            _ = WakeAfterAsync(_successor);
        }
        else if (_successor is null && _rules.NextLook() is { } next)
        {
            _look.Change(next, Timeout.InfiniteTimeSpan);
        }

        return null;
    }

    // One at a time is started; it is given to the slot between two calls.
    private async Task<Incarnation?> FindSuccessorAsync()
    {
        var turn = _supervisor.RecycleTurn;
        var search = _search.Token;
        try
        {
            await turn.WaitAsync(search).ConfigureAwait(false);
            try
            {
                return _standby.TryTake() ?? await StartSuccessorAsync(search).ConfigureAwait(false);
            }
            finally
            {
                turn.Release();
            }
        }
        catch (Exception exception)
        {
            if (!search.IsCancellationRequested)
            {
                _supervisor.StartFailed(exception);
                _settings.Logger.RecycleFailed(exception, _worker.Name, _worker.ProcessId);
            }

            return null;
        }
    }

    private async Task<Incarnation> StartSuccessorAsync(CancellationToken cancellationToken)
    {
        var successor = await _workforce.StartAsync(cancellationToken).ConfigureAwait(false);
        await successor.Worker.WarmUpAsync().ConfigureAwait(false);
        return successor;
    }

    /// <summary>It died between two calls.</summary>
    private async Task<ServiceEnd> DieAsync(CancellationToken poolStopped)
    {
        var exit = await _worker.Exited.ConfigureAwait(false);
        _supervisor.WorkerDied(_incarnation, exit);
        return await EndAsync(poolStopped).ConfigureAwait(false) with { Death = exit, Clean = exit.IsClean };
    }

    /// <summary>Closes the worker's books, and hands on a successor that was on its way.</summary>
    private async Task<ServiceEnd> EndAsync(CancellationToken poolStopped)
    {
        // A search that is not done yet may wait for others for ever.
        await _search.CancelAsync().ConfigureAwait(false);
        if (_worker.Exited.IsCompleted && _standby.IsReady)
        {
            // The dead one's remains are cleared away while another one serves already.
            _supervisor.Retire(_incarnation);
        }
        else
        {
            await _supervisor.EndAsync(_incarnation).ConfigureAwait(false);
        }

        var successor = _successor is null ? null : await _successor.ConfigureAwait(false);
        if (successor is null)
        {
            return default;
        }

        if (!poolStopped.IsCancellationRequested && !_supervisor.Queue.IsDrained)
        {
            return new ServiceEnd(Successor: successor);
        }

        await _supervisor.EndAsync(successor).ConfigureAwait(false);
        return default;
    }

    // After it, not at its end: whoever is woken must find it completed.
    private async Task WakeAfterAsync(Task task)
    {
        await task.ConfigureAwait(false);
        Wake();
    }
}
