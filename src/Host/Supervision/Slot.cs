using ProcessPool.Diagnostics;
using ProcessPool.Scheduling;

namespace ProcessPool.Supervision;

/// <summary>
/// A permanent place in the pool, as one loop: get a worker, let it serve until it ends or is recycled, get the next.
/// The loop is the only writer of its worker's phase.
/// </summary>
internal sealed class Slot(int number, PoolSettings settings, Workforce workforce, Standby standby, Supervisor supervisor)
{
    private readonly TaskCompletionSource _firstReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Taker _taker = new(supervisor.Queue);
    private RestartBudget _budget = new(settings.Restart, settings.Time);
    private Task<bool> _reset = supervisor.NextReset();

    /// <summary>Ends with the first start of a worker; fails when that failed.</summary>
    public Task FirstReady => _firstReady.Task;

    /// <summary>Makes it one of those among which calls with an affinity key are shared out, from when it has a worker: until then they are everybody's.</summary>
    public void Register()
    {
        supervisor.Queue.Register(_taker);
        supervisor.Queue.SetActive(_taker, number < settings.MinWorkers);
    }

    /// <summary>Runs until calls run out (the pool drains) or the pool stops.</summary>
    /// <param name="poolStopped">Cancelled when unfinished calls are not to be waited for.</param>
    public async Task RunAsync(CancellationToken poolStopped)
    {
        var goesOn = true;
        while (goesOn)
        {
            try
            {
                await LoopAsync(poolStopped).ConfigureAwait(false);
                goesOn = false;
            }
            catch (Exception exception)
            {
                // A fault of this library, not of a plugin. Loud, and the pool knows that it has one worker less.
                if (!supervisor.HasStarted)
                {
                    _firstReady.TrySetException(exception);
                }

                goesOn = await GiveUpAsync(exception, poolStopped).ConfigureAwait(false);
            }
        }

        supervisor.Queue.SetActive(_taker, false);

        // The pool may have stopped before there was a first start; of several that fail, one is reported.
        _firstReady.TrySetCanceled(CancellationToken.None);
        _firstReady.Task.Forget();
    }

    private async Task LoopAsync(CancellationToken poolStopped)
    {
        Incarnation? next = null;
        while (!poolStopped.IsCancellationRequested && !supervisor.Queue.IsDrained)
        {
            next ??= standby.TryTake() ?? await workforce.StartAsync(() => Budget, StartFailed, WaitAsync, poolStopped).ConfigureAwait(false);
            if (next is null)
            {
                if (!await GiveUpAsync(supervisor.LastError, poolStopped).ConfigureAwait(false))
                {
                    return;
                }

                continue;
            }

            var end = await ServeAsync(next, poolStopped).ConfigureAwait(false);
            next = end.Successor;
            if (end is { Death: not null, Successor: null } && !await RecoverAsync(end.Clean, poolStopped).ConfigureAwait(false))
            {
                return;
            }
        }

        if (next is not null)
        {
            // It came too late to serve.
            await supervisor.EndAsync(next).ConfigureAwait(false);
        }
    }

    // A reset gives every slot a new one.
    private RestartBudget Budget
    {
        get
        {
            if (_reset.IsCompletedSuccessfully && _reset.Result)
            {
                _reset = supervisor.NextReset();
                _budget = new RestartBudget(settings.Restart, settings.Time);
            }

            return _budget;
        }
    }

    private async Task<ServiceEnd> ServeAsync(Incarnation incarnation, CancellationToken poolStopped)
    {
        incarnation.Life.Fire(WorkerTrigger.Join);
        supervisor.SlotFilled(incarnation);
        try
        {
            // Who is told that the pool has started finds the slot filled.
            if (_firstReady.TrySetResult())
            {
                supervisor.Queue.SetActive(_taker, true);
            }

            using var service = new Service(incarnation, _taker, settings, workforce, standby, supervisor);
            return await service.RunAsync(_budget, poolStopped).ConfigureAwait(false);
        }
        finally
        {
            supervisor.SlotEmptied(incarnation);
        }
    }

    /// <summary>Waits as long as a worker's death demands.</summary>
    /// <returns>Whether the slot goes on.</returns>
    private async Task<bool> RecoverAsync(bool clean, CancellationToken poolStopped)
    {
        if (poolStopped.IsCancellationRequested)
        {
            return false;
        }

        if (Budget.AfterDeath(clean) is not { } wait)
        {
            return await GiveUpAsync(supervisor.LastError, poolStopped).ConfigureAwait(false);
        }

        await WaitAsync(wait, poolStopped).ConfigureAwait(false);
        return true;
    }

    // Until the time is up, or there is a reason to try at once: a reset, or calls that are to be finished before the pool stops.
    private async Task WaitAsync(TimeSpan wait, CancellationToken poolStopped)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(poolStopped, supervisor.Draining);
        var delay = Task.Delay(wait, settings.Time, enough.Token);
        supervisor.View.SlotWaits();
        await ((Task)Task.WhenAny(delay, _reset)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        supervisor.View.SlotGoesOn();
        await enough.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>No further start is allowed.</summary>
    /// <returns>Whether a reset gave the slot a new budget; if not, the pool stops, or never started.</returns>
    private async Task<bool> GiveUpAsync(Exception? cause, CancellationToken poolStopped)
    {
        if (poolStopped.IsCancellationRequested || FirstReady.IsFaulted)
        {
            return false;
        }

        supervisor.Queue.SetActive(_taker, false);
        var goesOn = await supervisor.GivenUp(cause).ConfigureAwait(false);
        supervisor.Queue.SetActive(_taker, goesOn);
        return goesOn;
    }

    // A first start fails the pool, as long as that is starting itself.
    private bool StartFailed(Exception exception)
    {
        supervisor.StartFailed(exception);
        return supervisor.HasStarted || !_firstReady.TrySetException(exception);
    }
}
