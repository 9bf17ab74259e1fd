using ProcessPool.Diagnostics;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>Looks at what every worker uses from time to time: for the errors, and for the limits that nobody else keeps.</summary>
internal sealed class ResourceWatch : IDisposable
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Seldom = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // A folder of very many files takes a while to look through: a twentieth of the time may go into that.
    private const int ScratchShare = 20;

    private readonly PoolSettings _settings;
    private readonly Workforce _workforce;
    private readonly ITimer? _timer;
    private readonly ITimer? _scratchTimer;
    private long _nextScratch;
    private int _looking;
    private int _lookingAtScratch;

    public ResourceWatch(PoolSettings settings, Workforce workforce)
    {
        _settings = settings;
        _workforce = workforce;
        if (!settings.Debug)
        {
            var period = settings.MemoryLimit is null && settings.Confinement.MaxThreads is null ? Seldom : Often;
            _timer = settings.Time.CreateTimer(_ => OneAtATime(ref _looking, Look), null, period, period);
            _scratchTimer = settings.Confinement.MaxScratchBytes is { } most ? settings.Time.CreateTimer(_ => OneAtATime(ref _lookingAtScratch, () => LookAtScratch(most)), null, Often, Often) : null;
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _scratchTimer?.Dispose();
    }

    // The last look may still be under way on a slow machine.
    private static void OneAtATime(ref int flag, Action look)
    {
        if (Interlocked.Exchange(ref flag, 1) == 1)
        {
            return;
        }

        try
        {
            look();
        }
        finally
        {
            Volatile.Write(ref flag, 0);
        }
    }

    private void Look()
    {
        foreach (var worker in _workforce.Running)
        {
            // Always read: for the errors.
            var memory = worker.ReadMemory();
            if (memory > _settings.MemoryLimit)
            {
                End(worker, CrashReason.MemoryLimit, memory.Value, "bytes of memory", _settings.MemoryLimit.Value);
            }
            else if (_settings.Confinement.MaxThreads is { } most && worker.Threads is { } threads && threads > most)
            {
                End(worker, CrashReason.ThreadLimit, threads, "threads", most);
            }
        }
    }

    // By itself: a plugin can make this slow, and the other limits are not to wait for it.
    private void LookAtScratch(long most)
    {
        var began = _settings.Time.GetTimestamp();
        if (began < _nextScratch)
        {
            return;
        }

        foreach (var worker in _workforce.Running)
        {
            if (worker.ReadScratch(most) is var bytes && bytes > most)
            {
                End(worker, CrashReason.ScratchLimit, bytes, "bytes in its scratch folder, or more files than can be counted,", most);
            }
        }

        var now = _settings.Time.GetTimestamp();
        _nextScratch = now + Math.Min((now - began) * ScratchShare, (long)(LongestPause.TotalSeconds * _settings.Time.TimestampFrequency));
    }

    private void End(IWorker worker, CrashReason reason, long amount, string what, long limit)
    {
        _settings.Logger.LimitExceeded(worker.Name, worker.ProcessId, amount, what, limit);
        worker.Kill(reason);
    }
}
