using ProcessPool.Diagnostics;

namespace ProcessPool.Supervision;

/// <summary>Looks at every worker's memory from time to time: for the errors, and for the limit.</summary>
internal sealed class MemoryWatch : IDisposable
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Seldom = TimeSpan.FromSeconds(1);

    private readonly PoolSettings _settings;
    private readonly Workforce _workforce;
    private readonly ITimer? _timer;
    private int _looking;

    public MemoryWatch(PoolSettings settings, Workforce workforce)
    {
        _settings = settings;
        _workforce = workforce;
        var period = settings.MemoryLimit is null ? Seldom : Often;
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

        foreach (var worker in _workforce.Living.Select(incarnation => incarnation.Worker))
        {
            if (worker.ReadMemory() is { } memory && memory > _settings.MemoryLimit)
            {
                _settings.Logger.MemoryLimitExceeded(worker.Name, worker.ProcessId, memory, _settings.MemoryLimit.Value);
                worker.Kill(CrashReason.MemoryLimit);
            }
        }

        Volatile.Write(ref _looking, 0);
    }
}
