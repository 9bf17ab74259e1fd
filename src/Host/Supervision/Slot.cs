using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>
/// A permanent place in the pool, as one loop: start a worker, serve calls with it until one of them ends, start the next.
/// The loop is the only writer of the slot's state.
/// </summary>
internal sealed class Slot(int index, PoolSettings settings, IWorkerLauncher launcher, Supervisor supervisor)
{
    private readonly TaskCompletionSource _firstReady = new(TaskCreationOptions.RunContinuationsAsynchronously);

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
            supervisor.GivenUp(index, exception);
        }
        finally
        {
            // The pool may have stopped before there was a first start.
            _firstReady.TrySetCanceled(poolStopped);
        }
    }

    private async Task LoopAsync(CancellationToken poolStopped)
    {
        while (!poolStopped.IsCancellationRequested && !supervisor.Queue.IsDrained && await StartAsync(poolStopped).ConfigureAwait(false) is { } worker)
        {
            supervisor.WorkerReady(index, worker);
            bool more;
            try
            {
                more = await ServeAsync(worker, poolStopped).ConfigureAwait(false);
                if (!worker.Exited.IsCompleted)
                {
                    await worker.StopAsync(settings.StopTimeout).ConfigureAwait(false);
                }
            }
            finally
            {
                supervisor.WorkerGone(index);
                await worker.DisposeAsync().ConfigureAwait(false);
            }

            if (!more)
            {
                return;
            }
        }
    }

    /// <summary>A new worker; null when the pool stopped meanwhile, the first start failed, or the slot is given up.</summary>
    private async Task<IWorker?> StartAsync(CancellationToken poolStopped)
    {
        for (var failures = 1; !poolStopped.IsCancellationRequested; failures++)
        {
            try
            {
                var worker = await launcher.StartAsync(index, poolStopped).ConfigureAwait(false);
                _firstReady.TrySetResult();
                return worker;
            }
            catch (OperationCanceledException) when (poolStopped.IsCancellationRequested)
            {
                return null;
            }
            catch (Exception exception)
            {
                supervisor.StartFailed(index, exception);
                if (_firstReady.TrySetException(exception) || failures >= Backoff.MaxFailures)
                {
                    supervisor.GivenUp(index, exception);
                    return null;
                }

                settings.Logger.WorkerStartFailed(exception, WorkerName.Of(supervisor.PoolName, index), failures, Backoff.After(failures));
            }

            await Task.Delay(Backoff.After(failures), settings.Time, poolStopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;
    }

    /// <summary>Runs calls until the worker is gone (true: the slot goes on with another) or there are no more (false).</summary>
    private async Task<bool> ServeAsync(IWorker worker, CancellationToken poolStopped)
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(poolStopped);
        using var death = new ExitSignal(worker, idle);
        while (true)
        {
            var call = await supervisor.Queue.TakeAsync(idle.Token).ConfigureAwait(false);
            if (call is null)
            {
                if (!worker.Exited.IsCompleted)
                {
                    return false;
                }

                supervisor.WorkerDied(worker, await worker.Exited.ConfigureAwait(false));
                return !poolStopped.IsCancellationRequested;
            }

            if (worker.HasExited)
            {
                supervisor.Queue.PutBack(call);
                supervisor.WorkerDied(worker, await worker.Exited.ConfigureAwait(false));
                return true;
            }

            try
            {
                if (!await RunAsync(worker, call, poolStopped).ConfigureAwait(false))
                {
                    return true;
                }
            }
            catch (Exception exception)
            {
                call.Fail(exception);
                throw;
            }
        }
    }

    /// <summary>Runs one call and settles it. False when the worker is not to be used again.</summary>
    private async Task<bool> RunAsync(IWorker worker, Invocation call, CancellationToken poolStopped)
    {
        if (call.CancellationToken.IsCancellationRequested)
        {
            call.Cancel();
            return true;
        }

        var site = new FaultSite(supervisor.PoolName, worker.Name, worker.ProcessId, call.Request.Id, call.Request.EntryPoint, Execution.Started);
        using var watch = new CallWatch(call, worker, settings, poolStopped);
        if (watch.Ask.IsCancellationRequested)
        {
            watch.Close();
            Settle(call, watch.Reason, site with { Execution = Execution.NotStarted });
            return !watch.Killed;
        }

        try
        {
            var reply = await worker.InvokeAsync(call.Request, watch.Ask).ConfigureAwait(false);
            watch.Close();
            var told = watch.Reason;
            if (told == EndReason.TimedOut || told == EndReason.Cancelled && reply.Status == CallStatus.PluginThrew)
            {
                Settle(call, told, site);
            }
            else
            {
                call.Succeed(reply, site);
            }

            return told is not (EndReason.TimedOut or EndReason.PoolStopped) && !watch.Killed;
        }
        catch (OperationCanceledException)
        {
            // Cancelled on the way out, or the connection broke after the plugin was asked: the two cannot be told apart, and a worker
            // that may be dying must not get another call.
            watch.Close();
            Settle(call, watch.Reason, site);
            return false;
        }
        catch (WorkerLostException lost)
        {
            watch.Close();
            if (watch.Reason == EndReason.None)
            {
                supervisor.WorkerDied(worker, lost.Exit, call.Request.EntryPoint);
                call.Fail(new WorkerCrashedException(lost.Exit, site));
            }
            else
            {
                Settle(call, watch.Reason, site);
            }

            return false;
        }
    }

    private void Settle(Invocation call, EndReason reason, FaultSite site)
    {
        switch (reason)
        {
            case EndReason.Cancelled:
                call.Cancel();
                break;
            case EndReason.TimedOut:
                call.Fail(new CallTimeoutException(settings.CallTimeout!.Value, site));
                break;
            default:
                call.Fail(new CallRejectedException(RejectionReason.Stopped, site));
                break;
        }
    }

    /// <summary>Ends the waiting for calls when the worker dies idle.</summary>
    private sealed class ExitSignal : IDisposable
    {
        private readonly Lock _gate = new();
        private readonly CancellationTokenSource _idle;
        private bool _disposed;

        public ExitSignal(IWorker worker, CancellationTokenSource idle)
        {
            _idle = idle;
            _ = SignalAsync(worker);
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _disposed = true;
            }
        }

        private async Task SignalAsync(IWorker worker)
        {
            await worker.Exited.ConfigureAwait(false);
            lock (_gate)
            {
                if (!_disposed)
                {
                    _idle.Cancel();
                }
            }
        }
    }
}
