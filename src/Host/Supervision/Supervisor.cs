using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;
using ProcessPool.Scheduling;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>One run of a pool, from start to stop: its queue and its slots.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The token source has neither timer nor wait handle: there is nothing to dispose.")]
internal sealed class Supervisor
{
    private readonly PoolSettings _settings;
    private readonly Slot[] _slots;
    private readonly CancellationTokenSource _stopped = new();
    private readonly Lock _gate = new();
    private readonly HashSet<int> _ready = [];
    private Task _running = Task.CompletedTask;
    private int _givenUp;
    private PoolState _state = PoolState.Starting;
    private SandboxPoolException? _lastError;

    public Supervisor(string poolName, PoolSettings settings, IWorkerLauncher launcher)
    {
        PoolName = poolName;
        _settings = settings;
        Queue = new InvocationQueue(settings.QueueCapacity);
        _slots = [.. Enumerable.Range(0, settings.Workers).Select(index => new Slot(index, settings, launcher, this))];
    }

    public string PoolName { get; }

    public InvocationQueue Queue { get; }

    public PoolState State
    {
        get
        {
            lock (_gate)
            {
                return _state == PoolState.Running && _ready.Count < _slots.Length ? PoolState.Degraded : _state;
            }
        }
    }

    public SandboxPoolException? LastError
    {
        get
        {
            lock (_gate)
            {
                return _lastError;
            }
        }
    }

    /// <summary>Starts every slot and waits for its first worker.</summary>
    /// <exception cref="SandboxPoolException">A worker could not be started. Nothing is left running.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var registration = cancellationToken.UnsafeRegister(_ => _stopped.Cancel(), null);
        using (ExecutionContext.SuppressFlow())
        {
            // The slots outlive the caller: its trace, culture and other ambient values must not stick to them.
            _running = Task.WhenAll(_slots.Select(slot => Task.Run(() => slot.RunAsync(_stopped.Token), CancellationToken.None)).ToArray());
        }

        try
        {
            // The first failure stops the others: they would fail alike, or be stopped anyway.
            await foreach (var slot in Task.WhenEach(_slots.Select(slot => slot.FirstReady)).ConfigureAwait(false))
            {
                await slot.ConfigureAwait(false);
            }

            // From here on the caller's token has no say; if it had just spoken, the slots are stopping already.
            await registration.DisposeAsync().ConfigureAwait(false);
            _stopped.Token.ThrowIfCancellationRequested();
            SetState(PoolState.Running);
            BreakIfNoSlotIsLeft(LastError);
        }
        catch
        {
            await registration.DisposeAsync().ConfigureAwait(false);
            await StopAsync(drain: false, CancellationToken.None).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }

    /// <summary>Ends every slot. Unfinished calls are finished first when draining, or else fail. Idempotent.</summary>
    /// <param name="drain">Whether to finish what was begun or queued.</param>
    /// <param name="cancellationToken">Cuts the draining short.</param>
    public async Task StopAsync(bool drain, CancellationToken cancellationToken)
    {
        SetState(PoolState.Stopping);
        if (drain)
        {
            Queue.Drain(Refuse);
            await _running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Queue.Close(Refuse);
        await _stopped.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        SetState(PoolState.Stopped);
    }

    /// <summary>A slot has a worker.</summary>
    public void WorkerReady(int slot, IWorker worker)
    {
        lock (_gate)
        {
            _ready.Add(slot);
        }

        _settings.Logger.WorkerReady(worker.Name, worker.ProcessId);
    }

    /// <summary>A slot has no worker just now.</summary>
    public void WorkerGone(int slot)
    {
        lock (_gate)
        {
            _ready.Remove(slot);
        }
    }

    /// <summary>A worker ended that nobody had asked to.</summary>
    public void WorkerDied(IWorker worker, WorkerExit exit, string? entryPoint = null)
    {
        if (_stopped.IsCancellationRequested)
        {
            return;
        }

        _settings.Logger.WorkerDied(worker.Name, worker.ProcessId, exit.Reason, exit.ExitCode, exit.Signal);
        Remember(new WorkerCrashedException(exit, new FaultSite(PoolName, worker.Name, worker.ProcessId, EntryPoint: entryPoint)));
    }

    /// <summary>A worker could not be started.</summary>
    public void StartFailed(int slot, Exception exception)
    {
        Remember(exception as SandboxPoolException
            ?? new WorkerStartException(exception.Message, new FaultSite(PoolName, WorkerName.Of(PoolName, slot)), exception));
    }

    /// <summary>A slot will have no worker any more.</summary>
    public void GivenUp(int slot, Exception exception)
    {
        lock (_gate)
        {
            _givenUp++;
        }

        _settings.Logger.WorkerGivenUp(exception, WorkerName.Of(PoolName, slot));
        BreakIfNoSlotIsLeft(exception);
    }

    private void BreakIfNoSlotIsLeft(Exception? cause)
    {
        lock (_gate)
        {
            if (_givenUp < _slots.Length || _state != PoolState.Running)
            {
                return;
            }

            _state = PoolState.Broken;
        }

        _settings.Logger.PoolBroken(cause, PoolName);
        Queue.Close(call => new CallRejectedException(RejectionReason.Broken, SiteOf(call), cause));
    }

    private Exception Refuse(Invocation call) => new CallRejectedException(RejectionReason.Stopped, SiteOf(call));

    private FaultSite SiteOf(Invocation call) => new(PoolName, CallId: call.Request.Id, EntryPoint: call.Request.EntryPoint);

    private void Remember(SandboxPoolException error)
    {
        lock (_gate)
        {
            _lastError = error;
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
