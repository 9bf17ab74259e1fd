using ProcessPool.Diagnostics;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>Looks at what every worker uses from time to time: for the errors, and for the limits that nobody else keeps.</summary>
internal sealed class ResourceWatch : IDisposable
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Seldom = TimeSpan.FromSeconds(1);

    // A folder of very many files takes a while to look through: at most a twentieth of the time goes into that.
    private const int ScratchShare = 20;

    private readonly PoolSettings _settings;
    private readonly Workforce _workforce;
    private readonly ITimer? _timer;
    private long _nextScratch;
    private int _looking;

    public ResourceWatch(PoolSettings settings, Workforce workforce)
    {
        _settings = settings;
        _workforce = workforce;
        var period = settings.MemoryLimit is null && settings.Confinement is { MaxThreads: null, MaxScratchBytes: null } ? Seldom : Often;
        _timer = settings.Debug ? null : settings.Time.CreateTimer(_ => Look(), null, period, period);
    }

    public void Dispose() => _timer?.Dispose();

    private void Look()
    {
        // The last look may still be under way on a slow machine.
        if (Interlocked.Exchange(ref _looking, 1) == 1)
        {
            return;
        }

        var began = _settings.Time.GetTimestamp();
        var looksAtScratch = _settings.Confinement.MaxScratchBytes is not null && began >= _nextScratch;
        foreach (var worker in _workforce.Living.Select(incarnation => incarnation.Worker))
        {
            // Always read: for the errors.
            var memory = worker.ReadMemory();
            if (memory > _settings.MemoryLimit)
            {
                End(worker, CrashReason.MemoryLimit, memory.Value, "bytes of memory", _settings.MemoryLimit.Value);
            }
            else if (_settings.Confinement.MaxThreads is { } most && worker.ReadThreads() is { } threads && threads > most)
            {
                End(worker, CrashReason.ThreadLimit, threads, "threads", most);
            }
            else if (looksAtScratch && worker.ReadScratch(_settings.Confinement.MaxScratchBytes!.Value) is { } bytes && bytes > _settings.Confinement.MaxScratchBytes)
            {
                End(worker, CrashReason.ScratchLimit, bytes, "bytes in its scratch folder, or more", _settings.Confinement.MaxScratchBytes.Value);
            }
        }

        var now = _settings.Time.GetTimestamp();
        _nextScratch = looksAtScratch ? now + (now - began) * ScratchShare : _nextScratch;
        Volatile.Write(ref _looking, 0);
    }

    private void End(IWorker worker, CrashReason reason, long amount, string what, long limit)
    {
        _settings.Logger.LimitExceeded(worker.Name, worker.ProcessId, amount, what, limit);
        worker.Kill(reason);
    }
}
