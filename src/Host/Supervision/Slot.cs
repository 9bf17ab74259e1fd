namespace ProcessPool.Supervision;

/// <summary>
/// A permanent place in the pool, as one loop: get a worker, let it serve until it ends or is recycled, get the next.
/// The loop is the only writer of its worker's phase.
/// </summary>
internal sealed class Slot(int number, PoolSettings settings, Workforce workforce, Standby standby, Supervisor supervisor)
{
    private readonly TaskCompletionSource _firstReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RestartBudget _budget = new(settings.Restart, settings.Time);

    /// <summary>Ends with the first start of a worker; fails when that failed.</summary>
    public Task FirstReady => _firstReady.Task;

    /// <summary>Runs until calls run out (the pool drains) or the pool stops.</summary>
    /// <param name="poolStopped">Cancelled when unfinished calls are not to be waited for.</param>
    public async Task RunAsync(CancellationToken poolStopped)
    {
        try
        {
            await LoopAsync(poolStopped).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // A fault of this library, not of a plugin. Loud, and the pool knows that it has one worker less.
            _firstReady.TrySetException(exception);
            _ = supervisor.GivenUp(exception);
        }
        finally
        {
            // The pool may have stopped before there was a first start.
            _firstReady.TrySetCanceled(poolStopped);
        }
    }

    private async Task LoopAsync(CancellationToken poolStopped)
    {
        Incarnation? next = null;
        while (!poolStopped.IsCancellationRequested && !supervisor.Queue.IsDrained)
        {
            next ??= standby.TryTake() ?? await workforce.StartAsync(_budget, StartFailed, poolStopped).ConfigureAwait(false);
            if (next is null)
            {
                if (!await GiveUpAsync(poolStopped).ConfigureAwait(false))
                {
                    return;
                }

                continue;
            }

            _firstReady.TrySetResult();
            next = await ServeAsync(next, poolStopped).ConfigureAwait(false);
        }

        if (next is not null)
        {
            // It came too late to serve.
            await supervisor.EndAsync(next).ConfigureAwait(false);
        }
    }

    /// <summary>Lets a worker serve, and waits afterwards as long as its death demands.</summary>
    /// <returns>Its successor, if there is one already.</returns>
    private async Task<Incarnation?> ServeAsync(Incarnation incarnation, CancellationToken poolStopped)
    {
        ServiceEnd end;
        incarnation.Life.Fire(WorkerTrigger.Join);
        supervisor.SlotFilled(number);
        try
        {
            using var service = new Service(incarnation, settings, workforce, standby, supervisor);
            end = await service.RunAsync(_budget, poolStopped).ConfigureAwait(false);
        }
        finally
        {
            supervisor.SlotEmptied(number);
        }

        if (end is { Death: not null, Successor: null } && !poolStopped.IsCancellationRequested)
        {
            if (_budget.AfterDeath(end.Clean) is { } wait)
            {
                await Task.Delay(wait, settings.Time, poolStopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            else
            {
                await GiveUpAsync(poolStopped).ConfigureAwait(false);
            }
        }

        return end.Successor;
    }

    /// <summary>No further start is allowed.</summary>
    /// <returns>Whether a reset gave the slot a new budget; if not, the pool stops, or never started.</returns>
    private async Task<bool> GiveUpAsync(CancellationToken poolStopped)
    {
        if (poolStopped.IsCancellationRequested || FirstReady.IsFaulted)
        {
            return false;
        }

        var reset = supervisor.GivenUp(supervisor.LastError);
        _budget = new RestartBudget(settings.Restart, settings.Time);
        return await reset.ConfigureAwait(false);
    }

    // The first start of all fails the pool.
    private bool StartFailed(Exception exception)
    {
        supervisor.StartFailed(exception);
        return !_firstReady.TrySetException(exception);
    }
}
