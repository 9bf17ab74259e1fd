using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;
using ProcessPool.Scheduling;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>Why a call was told to end before it did.</summary>
internal enum EndReason
{
    None,
    Cancelled,
    TimedOut,
    PoolStopped,
}

/// <summary>
/// Watches one call on one worker: on timeout or cancellation it asks the plugin to end, and kills the worker when it does not in time (at
/// once for a timed-out call that cannot be asked). After disposal it touches neither, so a late timer cannot hit the next call.
/// </summary>
internal sealed class CallWatch : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Invocation _call;
    private readonly IWorker _worker;
    private readonly PoolSettings _settings;
    private readonly CancellationTokenSource _ask = new();
    private readonly CancellationTokenRegistration _caller;
    private readonly CancellationTokenRegistration _pool;
    private readonly ITimer? _timer;
    private ITimer? _grace;
    private bool _over;

    public CallWatch(Invocation call, IWorker worker, PoolSettings settings, CancellationToken poolStopped)
    {
        _call = call;
        _worker = worker;
        _settings = settings;
        if (settings.CallTimeout is { } timeout)
        {
            _timer = settings.Time.CreateTimer(_ => End(EndReason.TimedOut), null, timeout, Timeout.InfiniteTimeSpan);
        }

        _caller = call.CancellationToken.UnsafeRegister(_ => End(EndReason.Cancelled), null);
        _pool = poolStopped.UnsafeRegister(_ => End(EndReason.PoolStopped), null);
    }

    /// <summary>Cancelled when the plugin is asked to end.</summary>
    public CancellationToken Ask => _ask.Token;

    /// <summary>Why the call was told to end; the first reason counts. Final after <see cref="Close"/>.</summary>
    public EndReason Reason { get; private set; }

    /// <summary>Whether the worker was killed. Final after <see cref="Close"/>.</summary>
    public bool Killed { get; private set; }

    /// <summary>The call has ended: from now on the worker is not touched, and <see cref="Reason"/> and <see cref="Killed"/> are final.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _over = true;
        }
    }

    public void Dispose()
    {
        Close();
        _caller.Dispose();
        _pool.Dispose();
        _timer?.Dispose();
        _grace?.Dispose();
        _ask.Dispose();
    }

    private void End(EndReason reason)
    {
        // The lock is held over asking and killing: neither runs a caller's code, and after disposal neither may happen.
        lock (_gate)
        {
            if (_over || Reason != EndReason.None && reason != EndReason.PoolStopped)
            {
                return;
            }

            Reason = Reason == EndReason.None ? reason : Reason;
            if (!_call.AcceptsCancellation && reason == EndReason.Cancelled)
            {
                // It cannot be asked, but it may end by itself, and the worker be kept. The caller need not wait for that.
                _call.Cancel();
            }

            if (reason == EndReason.Cancelled || reason == EndReason.TimedOut && _call.AcceptsCancellation)
            {
                _grace = _settings.Time.CreateTimer(_ => Kill(), null, _settings.CancelGrace, Timeout.InfiniteTimeSpan);
                _ = _ask.CancelAsync();
                return;
            }
        }

        Kill();
    }

    private void Kill()
    {
        lock (_gate)
        {
            if (_over)
            {
                return;
            }

            if (Reason != EndReason.PoolStopped)
            {
                _settings.Logger.CallKilled(_worker.Name, _worker.ProcessId, _call.Request.Id, _call.Request.EntryPoint, Reason == EndReason.TimedOut ? "timed out" : "cancelled");
            }

            Killed = true;
            _worker.Kill();
        }
    }
}
