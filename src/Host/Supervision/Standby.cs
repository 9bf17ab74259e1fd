using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>Keeps started workers ready that have no slot, one loop for each.</summary>
internal sealed class Standby(PoolSettings settings, Workforce workforce, Supervisor supervisor)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<(Incarnation Incarnation, TaskCompletionSource Taken)> _ready = new();

    /// <summary>Whether there is one to take.</summary>
    public bool IsReady
    {
        get
        {
            lock (_gate)
            {
                return _ready.Count > 0;
            }
        }
    }

    /// <summary>A worker that is ready, if there is one. Another one is started in its stead.</summary>
    public Incarnation? TryTake()
    {
        lock (_gate)
        {
            while (_ready.First is { Value: var offer })
            {
                _ready.RemoveFirst();
                if (!offer.Incarnation.Worker.Exited.IsCompleted && offer.Taken.TrySetResult())
                {
                    return offer.Incarnation;
                }
            }

            return null;
        }
    }

    /// <summary>Runs until the pool stops.</summary>
    public Task RunAsync(CancellationToken poolStopped) => Task.WhenAll(Enumerable.Range(0, settings.Standby).Select(_ => KeepAsync(poolStopped)));

    private async Task KeepAsync(CancellationToken poolStopped)
    {
        var budget = new RestartBudget(settings.Restart, settings.Time);
        while (!poolStopped.IsCancellationRequested)
        {
            var incarnation = await workforce.StartAsync(() => budget, StartFailed, WaitAsync, poolStopped).ConfigureAwait(false);
            if (incarnation is null)
            {
                // Nothing is lost but speed; with a new budget it is tried again.
                if (!await supervisor.NextReset().ConfigureAwait(false))
                {
                    return;
                }

                budget = new RestartBudget(settings.Restart, settings.Time);
                continue;
            }

            await incarnation.Worker.WarmUpAsync().ConfigureAwait(false);
            if (!await OfferAsync(incarnation, poolStopped).ConfigureAwait(false))
            {
                await supervisor.EndAsync(incarnation).ConfigureAwait(false);
                if (!poolStopped.IsCancellationRequested)
                {
                    var exit = await incarnation.Worker.Exited.ConfigureAwait(false);
                    supervisor.WorkerDied(incarnation, exit);
                    if (budget.AfterDeath(exit.IsClean) is { } wait)
                    {
                        await WaitAsync(wait, poolStopped).ConfigureAwait(false);
                    }
                    else if (await supervisor.NextReset().ConfigureAwait(false))
                    {
                        budget = new RestartBudget(settings.Restart, settings.Time);
                    }
                    else
                    {
                        return;
                    }
                }
            }
        }
    }

    /// <summary>Whether it was taken; if not, it died or the pool stopped.</summary>
    private async Task<bool> OfferAsync(Incarnation incarnation, CancellationToken poolStopped)
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        LinkedListNode<(Incarnation, TaskCompletionSource)> offer;
        lock (_gate)
        {
            offer = _ready.AddLast((incarnation, taken));
        }

        await ((Task)Task.WhenAny(taken.Task, incarnation.Worker.Exited)).WaitAsync(poolStopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (offer.List is not null)
            {
                _ready.Remove(offer);
            }

            return !taken.TrySetCanceled(CancellationToken.None);
        }
    }

    private async Task WaitAsync(TimeSpan wait, CancellationToken poolStopped) =>
        await Task.Delay(wait, settings.Time, poolStopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private bool StartFailed(Exception exception)
    {
        supervisor.StartFailed(exception);
        return true;
    }
}
