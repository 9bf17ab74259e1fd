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
/// once for a timed-out call that cannot be asked); if it has ended by then, its reply is waited for first. After <see cref="Close"/> it touches neither, so a late timer cannot hit the next call.
/// </summary>
internal sealed class CallWatch : IDisposable
{
    /// <summary>How long a reply that must be on its way may take; also how late a timer may fire before this process counts as suspended.</summary>
    public static readonly TimeSpan ReplyWait = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Invocation _call;
    private readonly IWorker _worker;
    private readonly PoolSettings _settings;
    private readonly CancellationTokenSource? _ask;
    private CancellationTokenRegistration _caller;
    private CancellationTokenRegistration _pool;
    private readonly long _handedOverAt;
    private readonly ITimer? _timer;
    private ITimer? _grace;
    private bool _lookedTwice;
    private bool _waitedForReply;
    private bool _over;

    public CallWatch(Invocation call, IWorker worker, PoolSettings settings)
    {
        _call = call;
        _worker = worker;
        _settings = settings;
        _handedOverAt = settings.Time.GetTimestamp();
        var limit = call.Options.Timeout ?? settings.CallTimeout;
        _ask = limit is not null || call.CancellationToken.CanBeCanceled ? new CancellationTokenSource() : null;
        if (limit is { } timeout)
        {
            CallTimeout = timeout;
            _timer = settings.Time.CreateTimer(_ => TimeIsUp(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(timeout, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The worker has begun it, by its own account; it may have ended since.</summary>
    public bool WasBegun { get; set; }

    /// <summary>How long the call may execute; zero when there is no limit.</summary>
    public TimeSpan CallTimeout { get; }

    /// <summary>Cancelled when the plugin is asked to end.</summary>
    public CancellationToken Ask => _ask?.Token ?? default;

    /// <summary>Why the call was told to end; the first reason counts. Final after <see cref="Close"/>.</summary>
    public EndReason Reason { get; private set; }

    /// <summary>Whether the worker was killed. Final after <see cref="Close"/>.</summary>
    public bool Killed { get; private set; }

    /// <summary>From now on it ends with its caller, and with the pool: at once, if they have left.</summary>
    public CallWatch Arm(CancellationToken poolStopped)
    {
        _caller = _call.CancellationToken.UnsafeRegister(static watch => ((CallWatch)watch!).End(EndReason.Cancelled), this);
        _pool = poolStopped.UnsafeRegister(static watch => ((CallWatch)watch!).End(EndReason.PoolStopped), this);
        bool over;
        lock (_gate)
        {
            over = _over;
        }

        if (over)
        {
            // Disposed of meanwhile.
            _caller.Dispose();
            _pool.Dispose();
        }

        return this;
    }

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
        _ask?.Dispose();
    }

    // The timer counts from the hand-over, and it may have fired late. Both are looked into once; what the sandbox says wins no more time than that.
    private void TimeIsUp()
    {
        lock (_gate)
        {
            if (_over)
            {
                return;
            }

            if (!_lookedTwice && TimeLeft() is var left && left > TimeSpan.Zero)
            {
                _lookedTwice = true;
                _timer!.Change(left, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        End(EndReason.TimedOut);
    }

    private TimeSpan TimeLeft()
    {
        var now = _settings.Time.GetTimestamp();
        var elapsed = _settings.Time.GetElapsedTime(_handedOverAt, now);
        var wasSuspended = elapsed > CallTimeout + ReplyWait;
        if (_worker.ReadMark() is not { } mark)
        {
            return wasSuspended ? ReplyWait : TimeSpan.Zero;
        }

        if (HasEnded(mark))
        {
            // Of calls that go together another one may execute, and have its own limit still: that one's watch comes first.
            _waitedForReply = Reason == EndReason.None;
            return mark.StartedCall == _call.Request.Id || CallTimeout < ReplyWait ? ReplyWait : CallTimeout;
        }

        if (mark.StartedCall != _call.Request.Id)
        {
            // It has not begun: its time has not either.
            return wasSuspended && CallTimeout < ReplyWait ? ReplyWait : CallTimeout;
        }

        _call.Start();
        WasBegun = true;
        if (wasSuspended)
        {
            return ReplyWait;
        }

        var startedAt = Math.Clamp(mark.StartedAt, _handedOverAt, now);
        return CallTimeout - _settings.Time.GetElapsedTime(startedAt, now);
    }

    private void End(EndReason reason)
    {
        var isAsked = reason == EndReason.Cancelled || reason == EndReason.TimedOut && _call.Traits.AcceptsCancellation;

        // The lock is held over asking and killing: neither runs a user's code, and after disposal neither may happen.
        lock (_gate)
        {
            if (_over || Reason != EndReason.None && reason != EndReason.PoolStopped)
            {
                return;
            }

            Reason = Reason == EndReason.None ? reason : Reason;
            WasBegun |= _worker.ReadMark()?.StartedCall == _call.Request.Id;
            if (isAsked)
            {
                _grace = _settings.Time.CreateTimer(_ => Kill(reason), null, _settings.CancelGrace, Timeout.InfiniteTimeSpan);
                _ = _ask!.CancelAsync();
            }
        }

        if (!isAsked)
        {
            Kill(reason);
        }
        else if (!_call.Traits.AcceptsCancellation)
        {
            // It cannot be asked, but it may end by itself, and the worker be kept. The caller need not wait for that. Not in the lock: who measures is told.
            _call.Cancel();
        }
    }

    private bool HasEnded(RecorderMark? mark) => mark is not null && (mark.FinishedCall == _call.Request.Id || WasBegun && mark.StartedCall != _call.Request.Id);

    private void Kill(EndReason reason)
    {
        lock (_gate)
        {
            if (_over)
            {
                return;
            }

            // It has ended, its reply is on its way, and one that came with it may have begun. That, too, wins no more time than this.
            if (!_waitedForReply && reason != EndReason.PoolStopped && HasEnded(_worker.ReadMark()))
            {
                _waitedForReply = true;
                _grace?.Dispose();
                _grace = _settings.Time.CreateTimer(_ => Kill(reason), null, ReplyWait, Timeout.InfiniteTimeSpan);
                return;
            }

            Killed = true;
            _worker.Kill();
        }

        if (Reason != EndReason.PoolStopped)
        {
            _settings.Logger.CallKilled(_worker.Name, _worker.ProcessId, _call.Request.Id, _call.Request.EntryPoint, Reason == EndReason.TimedOut ? "timed out" : "cancelled");
        }
    }
}
