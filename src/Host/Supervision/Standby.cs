using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>Keeps started workers ready that have no slot, one loop for each.</summary>
internal sealed class Standby(PoolSettings settings, Workforce workforce, Supervisor supervisor)
{
    private readonly Lock _gate = new();
    private readonly Queue<(Incarnation Incarnation, TaskCompletionSource Taken)> _ready = new();

    /// <summary>A worker that is ready, if there is one. Another one is started in its stead.</summary>
    public Incarnation? TryTake()
    {
        lock (_gate)
        {
            while (_ready.TryDequeue(out var offer))
            {
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
            var incarnation = await workforce.StartAsync(budget, StartFailed, poolStopped).ConfigureAwait(false);
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

            if (!await OfferAsync(incarnation, poolStopped).ConfigureAwait(false))
            {
                await supervisor.EndAsync(incarnation).ConfigureAwait(false);
                if (!poolStopped.IsCancellationRequested)
                {
                    var exit = await incarnation.Worker.Exited.ConfigureAwait(false);
                    supervisor.WorkerDied(incarnation, exit);
                    await Task.Delay(budget.AfterDeath(exit.IsClean) ?? settings.Restart.MaxDelay, settings.Time, poolStopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
    }

    /// <summary>Whether it was taken; if not, it died or the pool stopped.</summary>
    private async Task<bool> OfferAsync(Incarnation incarnation, CancellationToken poolStopped)
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _ready.Enqueue((incarnation, taken));
        }

        await ((Task)Task.WhenAny(taken.Task, incarnation.Worker.Exited)).WaitAsync(poolStopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            return !taken.TrySetCanceled(CancellationToken.None);
        }
    }

    private bool StartFailed(Exception exception)
    {
        supervisor.StartFailed(exception);
        return true;
    }
}
