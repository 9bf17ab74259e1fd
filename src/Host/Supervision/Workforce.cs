using ProcessPool.Diagnostics;
using ProcessPool.Telemetry;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>All living workers of a pool: starts them, numbers them, ends them. Thread-safe.</summary>
internal sealed class Workforce(string poolName, PoolSettings settings, IWorkerLauncher launcher, PoolCounts counts)
{
    private readonly Lock _gate = new();
    private readonly SortedSet<int> _freeIndexes = [];
    private readonly HashSet<Incarnation> _living = [];
    private readonly HashSet<IWorker> _starting = [];
    private int _indexes;
    private int _incarnations;
    private int _begun;

    /// <summary>How many are being started just now.</summary>
    public int Starting => Volatile.Read(ref _begun);

    /// <summary>Everyone who lives just now.</summary>
    public IReadOnlyList<Incarnation> Living
    {
        get
        {
            lock (_gate)
            {
                return [.. _living];
            }
        }
    }

    /// <summary>Everyone whose process runs: those too that are loading their plugin.</summary>
    public IReadOnlyList<IWorker> Running
    {
        get
        {
            lock (_gate)
            {
                return [.. _living.Select(incarnation => incarnation.Worker), .. _starting];
            }
        }
    }

    /// <summary>Starts one worker. It stands by until it joins a slot.</summary>
    public async Task<Incarnation> StartAsync(CancellationToken cancellationToken)
    {
        var index = TakeIndex();
        IWorker? begun = null;
        var since = settings.Time.GetTimestamp();
        Interlocked.Increment(ref _begun);
        try
        {
            var worker = await launcher.StartAsync(index, Begins, cancellationToken).ConfigureAwait(false);
            var incarnation = new Incarnation(worker, index, Interlocked.Increment(ref _incarnations), settings.Time.GetTimestamp());
            incarnation.Life.Fire(WorkerTrigger.Ready);
            lock (_gate)
            {
                _living.Add(incarnation);
            }

            settings.Logger.WorkerReady(worker.Name, worker.ProcessId);
            var took = settings.Time.GetElapsedTime(since);
            Instruments.WorkerStarted(poolName, took, errorType: null);
            PoolEvents.Log.WorkerReady(poolName, worker.Name, worker.ProcessId ?? 0, took.TotalMilliseconds);
            return incarnation;
        }
        catch (Exception exception)
        {
            FreeIndex(index);
            Instruments.WorkerStarted(poolName, settings.Time.GetElapsedTime(since), ErrorType.Of(exception));
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _begun);
            lock (_gate)
            {
                if (begun is not null)
                {
                    _starting.Remove(begun);
                }
            }
        }

        void Begins(IWorker worker)
        {
            lock (_gate)
            {
                begun = worker;
                _starting.Add(worker);
            }
        }
    }

    /// <summary>Starts one worker, again and again with the budget's waits. Null when the budget is used up or the token is cancelled.</summary>
    /// <param name="budget">The place's own, asked for each time: a reset gives it a new one.</param>
    /// <param name="onFailure">Told of each failure; returns whether to go on.</param>
    /// <param name="waitAsync">Waits before the next attempt.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Incarnation?> StartAsync(
        Func<RestartBudget> budget, Func<Exception, bool> onFailure, Func<TimeSpan, CancellationToken, Task> waitAsync, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var incarnation = await StartAsync(cancellationToken).ConfigureAwait(false);
                budget().Started();
                return incarnation;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return null;
            }
            catch (Exception exception)
            {
                if (!onFailure(exception) || budget().AfterStartFailure() is not { } wait)
                {
                    return null;
                }

                settings.Logger.WorkerStartFailed(exception, poolName, wait);
                await waitAsync(wait, cancellationToken).ConfigureAwait(false);
            }
        }

        return null;
    }

    /// <summary>Ends a worker, gently if it lives and was not killed, and closes its books.</summary>
    /// <returns>Whether it had to be killed.</returns>
    public async Task<bool> EndAsync(Incarnation incarnation)
    {
        var worker = incarnation.Worker;
        var died = worker.Exited.IsCompleted && incarnation.Life.Phase != WorkerPhase.Killed;
        try
        {
            if (worker.Exited.IsCompleted || incarnation.Life.Phase == WorkerPhase.Killed)
            {
                return incarnation.Life.Phase == WorkerPhase.Killed;
            }

            incarnation.Life.Fire(WorkerTrigger.Stop);
            var killed = await worker.StopAsync(settings.StopTimeout).ConfigureAwait(false);
            if (killed)
            {
                incarnation.Life.Fire(WorkerTrigger.Kill);
            }

            return killed;
        }
        finally
        {
            try
            {
                await worker.DisposeAsync().ConfigureAwait(false);
                incarnation.Life.Fire(WorkerTrigger.Exit);
            }
            finally
            {
                Forget(incarnation);
                Report(incarnation, died && worker.Exited.IsCompletedSuccessfully ? worker.Exited.Result : null);
            }
        }
    }

    private void Report(Incarnation incarnation, WorkerExit? death)
    {
        var reason = death is null ? incarnation.EndsBecause ?? WorkerEnd.Shutdown : WorkerEnd.Of(death.Reason);
        counts.WorkerEnded(reason);
        Instruments.WorkerExited(poolName, reason, death);
        PoolEvents.Log.WorkerExited(poolName, incarnation.Worker.Name, incarnation.Worker.ProcessId ?? 0, reason, death?.ExitCode ?? 0);
    }

    private void Forget(Incarnation incarnation)
    {
        lock (_gate)
        {
            if (_living.Remove(incarnation))
            {
                _freeIndexes.Add(incarnation.Index);
            }
        }
    }

    private int TakeIndex()
    {
        lock (_gate)
        {
            if (_freeIndexes.Count == 0)
            {
                return _indexes++;
            }

            var index = _freeIndexes.Min;
            _freeIndexes.Remove(index);
            return index;
        }
    }

    private void FreeIndex(int index)
    {
        lock (_gate)
        {
            _freeIndexes.Add(index);
        }
    }
}
