using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;
using ProcessPool.Scheduling;
using ProcessPool.Telemetry;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>One run of a pool, from start to stop: its queue, its slots, its workers.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Stopping ends what it owns; a token source without a timer needs no disposal.")]
internal sealed partial class Supervisor
{
    private readonly PoolSettings _settings;
    private readonly Workforce _workforce;
    private readonly Standby _standby;
    private readonly Slot[] _slots;
    private readonly CancellationTokenSource _stopped = new();
    private readonly CancellationTokenSource _draining = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Incarnation> _occupants = [];
    private readonly HashSet<Task> _retiring = [];
    private readonly CrashHistory _crashes = new();
    private readonly StopCount _stopCount = new();
    private ResourceWatch? _watch;
    private Task _serving = Task.CompletedTask;
    private Task _standingBy = Task.CompletedTask;
    private TaskCompletionSource<bool> _reset = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _givenUp;
    private PoolState _state = PoolState.Starting;

    public Supervisor(string poolName, PoolSettings settings, IWorkerLauncher launcher, PoolCounts? counts = null)
    {
        PoolName = poolName;
        _settings = settings;
        using var noFlow = ExecutionContext.SuppressFlow();
        Queue = NewQueue();
        Chunks = new ChunkSizes(settings.Time);
        counts ??= new PoolCounts(poolName, settings.Time);
        _workforce = new Workforce(poolName, settings, launcher, counts);
        View = new PoolView(poolName, settings, counts, this, _workforce);
        _standby = new Standby(settings, _workforce, this);
        _slots = [.. Enumerable.Range(0, settings.Workers).Select(number => new Slot(number, settings, _workforce, _standby, this))];
    }

    public string PoolName { get; }

    public InvocationQueue Queue { get; }

    /// <summary>What can be seen from outside.</summary>
    public PoolView View { get; }

    /// <summary>Whose turn it is to be recycled: one at a time.</summary>
    public SemaphoreSlim RecycleTurn { get; } = new(1, 1);

    /// <summary>Whether a worker waits for its replacement.</summary>
    public bool IsRecycling => RecycleTurn.CurrentCount == 0;

    public PoolState State
    {
        get
        {
            lock (_gate)
            {
                // A dead worker fills no slot, though the slot may not know it yet: who was told of a crash must not read that all is well.
                return _state == PoolState.Running && _occupants.Count(incarnation => !incarnation.Worker.Exited.IsCompleted) < _slots.Length ? PoolState.Degraded : _state;
            }
        }
    }

    /// <summary>Whether it takes calls.</summary>
    public bool IsRunning
    {
        get
        {
            lock (_gate)
            {
                return _state == PoolState.Running;
            }
        }
    }

    public SandboxPoolException? LastError => _crashes.Last;

    /// <summary>Cancelled when the pool is about to stop: what is queued is to be finished soon.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Starts every slot and waits for its first worker.</summary>
    /// <exception cref="SandboxPoolException">A worker could not be started. Nothing is left running.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var registration = cancellationToken.UnsafeRegister(_ => _stopped.Cancel(), null);
        using (ExecutionContext.SuppressFlow())
        {
            // What is started here outlives the caller: its trace, culture and other ambient values must not stick to it.
            RunningPools.Add(View);
            _watch = new ResourceWatch(_settings, _workforce);
            Array.ForEach(_slots, slot => slot.Register());
            _serving = Task.WhenAll(_slots.Select((slot, number) => Task.Run(() => ServeAsync(slot, number), CancellationToken.None)));
        }

        try
        {
            // The first failure stops the others: they would fail alike, or be stopped anyway.
            await foreach (var slot in Task.WhenEach(_slots.Take(_settings.MinWorkers).Select(slot => slot.FirstReady)).ConfigureAwait(false))
            {
                await slot.ConfigureAwait(false);
            }

            // From here on the caller's token has no say; if it had just spoken, the slots are stopping already.
            await registration.DisposeAsync().ConfigureAwait(false);
            _stopped.Token.ThrowIfCancellationRequested();
            using (ExecutionContext.SuppressFlow())
            {
                _standingBy = Task.Run(() => _standby.RunAsync(_stopped.Token), CancellationToken.None);
            }

            bool broken;
            lock (_gate)
            {
                _state = PoolState.Running;
                broken = BreakIfExhausted_NeedsLock(LastError);
            }

            if (broken)
            {
                _settings.Logger.PoolBroken(LastError, PoolName);
            }

            _enough.TrySetResult();
        }
        catch
        {
            await registration.DisposeAsync().ConfigureAwait(false);
            await StopAsync(drain: false, null, CancellationToken.None).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }

    /// <summary>Whether there have been enough workers for it to start.</summary>
    public bool HasStarted => _enough.Task.IsCompleted;

    /// <summary>Ends every slot. Unfinished calls are finished first when draining, or else fail. Idempotent.</summary>
    /// <param name="drain">Whether to finish what was begun or queued.</param>
    /// <param name="deadline">How long draining may take; null: as long as it takes.</param>
    /// <param name="cancellationToken">Cuts the draining short.</param>
    public async Task<StopReport> StopAsync(bool drain, TimeSpan? deadline, CancellationToken cancellationToken)
    {
        SetState(PoolState.Stopping);
        _stopCount.Begin();
        await _draining.CancelAsync().ConfigureAwait(false);
        if (drain)
        {
            Queue.Drain(Refuse);
            EndWaitingForReset();
            await _serving.WaitAsync(deadline ?? Timeout.InfiniteTimeSpan, _settings.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _stopCount.CutOff(Queue.Close(Refuse));
        await _stopped.CancelAsync().ConfigureAwait(false);
        _enough.TrySetResult();
        EndWaitingForReset();
        await _serving.ConfigureAwait(false);
        await _standingBy.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(Retiring).ConfigureAwait(false);

        // Nobody is, unless a loop had a fault of its own.
        await Task.WhenAll(_workforce.Living.Select(EndAsync)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _watch?.Dispose();
        Queue.Dispose();
        RunningPools.Remove(View);
        SetState(PoolState.Stopped);
        return _stopCount.Report;
    }

    /// <summary>Gives every slot a new budget; a broken pool takes calls again.</summary>
    public void Reset()
    {
        TaskCompletionSource<bool> reset;
        lock (_gate)
        {
            if (_state is not (PoolState.Running or PoolState.Broken))
            {
                return;
            }

            _state = PoolState.Running;
            _givenUp = 0;
            Queue.Reopen();
            reset = _reset;
            _reset = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        _settings.Logger.PoolReset(PoolName);
        reset.TrySetResult(true);
    }

    /// <summary>What was achieved of the pool's policy in a worker that is alive; null when there is none.</summary>
    public ConfinementReport? Confinement => _workforce.Living.Select(incarnation => incarnation.Worker.Confinement).FirstOrDefault(report => report is not null);

    /// <summary>What the plugin is made of in a worker; null when there is none just now.</summary>
    public async Task<LoadReport?> GetLoadReportAsync(CancellationToken cancellationToken)
    {
        foreach (var incarnation in _workforce.Living)
        {
            if (await incarnation.Worker.GetLoadReportAsync(cancellationToken).ConfigureAwait(false) is { } report)
            {
                return report;
            }
        }

        return null;
    }

    /// <summary>A slot has a worker.</summary>
    public void SlotFilled(Incarnation incarnation)
    {
        lock (_gate)
        {
            _occupants.Add(incarnation);
        }
    }

    /// <summary>A slot's worker has left it.</summary>
    public void SlotEmptied(Incarnation incarnation)
    {
        lock (_gate)
        {
            _occupants.Remove(incarnation);
        }
    }

    /// <summary>How many calls go together.</summary>
    public ChunkSizes Chunks { get; }

    /// <summary>A call is about to be settled, by itself; or so many.</summary>
    public void CallFinishes(int calls = 1) => _stopCount.Completed(calls);

    /// <summary>A call that was executing is about to fail because the pool stops.</summary>
    public void CallCutOff() => _stopCount.CutOff(1);

    /// <summary>A worker ended that nobody had asked to.</summary>
    /// <param name="incarnation">The worker.</param>
    /// <param name="exit">How it ended.</param>
    /// <param name="site">With the call that it had in hand; null when it was idle.</param>
    public void WorkerDied(Incarnation incarnation, WorkerExit exit, FaultSite? site = null)
    {
        if (_stopped.IsCancellationRequested)
        {
            return;
        }

        var worker = incarnation.Worker;
        _settings.Logger.WorkerDied(worker.Name, worker.ProcessId, exit.Reason, exit.ExitCode, exit.Signal);
        _crashes.Add(new WorkerCrashedException(exit, site ?? SiteOf(incarnation)));
    }

    /// <summary>A worker could not be started.</summary>
    public void StartFailed(Exception exception) =>
        _crashes.Add(exception as SandboxPoolException ?? new WorkerStartException(exception.Message, new FaultSite(PoolName), exception));

    /// <summary>Puts back a call that was not begun.</summary>
    /// <param name="call">The call.</param>
    /// <param name="isMoved">It stood behind another one.</param>
    public void PutBack(Invocation call, bool isMoved = false)
    {
        if (!Queue.PutBack(call, isMoved))
        {
            _stopCount.CutOff(call.Bundle?.Count ?? 1);
        }
    }

    /// <summary>Ends a worker and waits for it.</summary>
    public async Task EndAsync(Incarnation incarnation)
    {
        if (await _workforce.EndAsync(incarnation).ConfigureAwait(false))
        {
            _stopCount.Killed();
        }
    }

    /// <summary>Ends a worker whose successor serves already.</summary>
    public void Retire(Incarnation incarnation)
    {
        var retiring = RetireAsync();
        lock (_gate)
        {
            _retiring.RemoveWhere(task => task.IsCompleted);
            _retiring.Add(retiring);
        }

        async Task RetireAsync()
        {
            // What is left of it is looked for in the whole system: not by those who serve.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await EndAsync(incarnation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A slot may start no worker any more.</summary>
    /// <returns>Ends with whether there was a reset; if not, the pool stops.</returns>
    public Task<bool> GivenUp(Exception? cause)
    {
        Task<bool> reset;
        bool broken;
        lock (_gate)
        {
            _givenUp++;
            reset = _reset.Task;
            broken = BreakIfExhausted_NeedsLock(cause);
        }

        _settings.Logger.SlotGivenUp(cause, PoolName);
        if (broken)
        {
            _settings.Logger.PoolBroken(cause, PoolName);
        }

        return reset;
    }

    /// <summary>Ends with whether there was a reset; if not, the pool stops.</summary>
    public Task<bool> NextReset()
    {
        lock (_gate)
        {
            return _reset.Task;
        }
    }

    /// <summary>A lease is over: released, or its worker is gone, or the pool stops.</summary>
    public void EndLease(Lease lease, WorkerExit? death, Incarnation incarnation)
    {
        var cause = death is null ? null : new WorkerCrashedException(death, SiteOf(incarnation));
        var refused = lease.End(lease.Queue.IsDrained ? null : call => _stopped.IsCancellationRequested
            ? Refuse(call)
            : CallRejectedException.LeaseLost(SiteOf(call) with { Worker = incarnation.Worker.Name, ProcessId = incarnation.Worker.ProcessId, Incarnation = incarnation.Number }, cause));
        _stopCount.CutOff(refused);
    }

    /// <summary>A queue for the calls of one lease.</summary>
    public InvocationQueue NewQueue() => new(_settings.QueueCapacity, _settings.WhenFull, _settings.QueueTimeout, _settings.Time, this);

    private IEnumerable<Task> Retiring
    {
        get
        {
            lock (_gate)
            {
                return [.. _retiring];
            }
        }
    }

    // Those that the start does not wait for leave the processors to those it does.
    private async Task ServeAsync(Slot slot, int number)
    {
        if (number >= _settings.MinWorkers)
        {
            await _enough.Task.ConfigureAwait(false);
        }

        await slot.RunAsync(_stopped.Token).ConfigureAwait(false);
    }

    // State and queue change together: a reset comes before or after both. Nothing of a user's runs in here.
    private bool BreakIfExhausted_NeedsLock(Exception? cause)
    {
        var exhausted = _settings.Restart.WhenExhausted == ExhaustedAction.BreakPool ? _givenUp > 0 : _givenUp >= _slots.Length;
        if (!exhausted || _state != PoolState.Running)
        {
            return false;
        }

        _state = PoolState.Broken;
        Queue.Suspend(call => CallRejectedException.Broken(_crashes.Describe(), SiteOf(call), cause));
        return true;
    }

    // Those who wait for a reset wait no more: there will be none.
    private void EndWaitingForReset()
    {
        lock (_gate)
        {
            _reset.TrySetResult(false);
        }
    }

    private void SetState(PoolState state)
    {
        lock (_gate)
        {
            _state = state;
        }
    }
}
