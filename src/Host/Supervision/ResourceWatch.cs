using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using ProcessPool.Diagnostics;
using ProcessPool.Launch;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>Looks at what every worker uses from time to time: for the errors, and for the limits that nobody else keeps.</summary>
internal sealed class ResourceWatch : IDisposable
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Seldom = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // A folder of many files takes a while to look through: a twentieth of the time may go into that, for each worker.
    private const int ScratchShare = 20;

    // Once may be an accident. A worker that goes unwatched for longer may use what it likes.
    private const int MostUnreadable = 2;

    private readonly PoolSettings _settings;
    private readonly Workforce _workforce;
    private readonly ConditionalWeakTable<IWorker, WorkerLooks> _looks = [];
    private readonly ConcurrentDictionary<Type, bool> _logged = [];
    private readonly ITimer? _timer;
    private readonly ITimer? _scratchTimer;
    private int _looking;
    private int _lookingAtScratch;

    public ResourceWatch(PoolSettings settings, Workforce workforce)
    {
        _settings = settings;
        _workforce = workforce;
        if (!settings.Debug)
        {
            var period = settings.MemoryLimit is null && settings.Confinement.MaxThreads is null ? Seldom : Often;
            _timer = settings.Time.CreateTimer(_ => LookAtAll(ref _looking, Look), null, period, period);

            // By itself: a plugin can make this slow, and the other limits are not to wait for it.
            _scratchTimer = settings.Confinement.MaxScratchBytes is { } most ? settings.Time.CreateTimer(_ => LookAtAll(ref _lookingAtScratch, worker => LookAtScratch(worker, most)), null, Often, Often) : null;
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _scratchTimer?.Dispose();
    }

    private void LookAtAll(ref int flag, Action<IWorker> look)
    {
        // The last look may still be under way on a slow machine.
        if (Interlocked.Exchange(ref flag, 1) == 1)
        {
            return;
        }

        try
        {
            foreach (var worker in _workforce.Running)
            {
                LookSafely(worker, look);
            }
        }
        finally
        {
            Volatile.Write(ref flag, 0);
        }
    }

    // What a timer throws ends the program. And the others are to be looked at.
    private void LookSafely(IWorker worker, Action<IWorker> look)
    {
        try
        {
            look(worker);
        }
        catch (Exception exception)
        {
            if (_logged.TryAdd(exception.GetType(), true))
            {
                _settings.Logger.LookFailed(exception, worker.Name, worker.ProcessId);
            }
        }
    }

    private void Look(IWorker worker)
    {
        var looks = _looks.GetOrCreateValue(worker);
        var (memoryLimit, threadLimit) = (_settings.MemoryLimit, _settings.Confinement.MaxThreads);

        // Always read: for the errors.
        var read = worker.ReadUse();
        looks.Unreadable = read == ProcessUse.Unreadable ? looks.Unreadable + 1 : 0;
        if (looks.Unreadable >= MostUnreadable && (memoryLimit is not null || threadLimit is not null) && !worker.HasExited)
        {
            _settings.Logger.UseNotReadable(worker.Name, worker.ProcessId);
            worker.Kill(memoryLimit is not null ? CrashReason.MemoryLimit : CrashReason.ThreadLimit);
        }
        else if (read is { } use && use.Resident > memoryLimit)
        {
            End(worker, CrashReason.MemoryLimit, use.Resident, "bytes of memory", memoryLimit.Value);
        }
        else if (read?.Threads > threadLimit)
        {
            End(worker, CrashReason.ThreadLimit, read.Value.Threads, "threads", threadLimit.Value);
        }
    }

    private void LookAtScratch(IWorker worker, long most)
    {
        var looks = _looks.GetOrCreateValue(worker);
        var began = _settings.Time.GetTimestamp();
        if (began < looks.NextScratch)
        {
            return;
        }

        var bytes = worker.ReadScratch(most);
        if (bytes > most)
        {
            End(worker, CrashReason.ScratchLimit, bytes, "bytes in its scratch folder, or more files than can be counted,", most);
        }

        var now = _settings.Time.GetTimestamp();
        looks.NextScratch = now + Math.Min((now - began) * ScratchShare, (long)(LongestPause.TotalSeconds * _settings.Time.TimestampFrequency));
    }

    private void End(IWorker worker, CrashReason reason, long amount, string what, long limit)
    {
        _settings.Logger.LimitExceeded(worker.Name, worker.ProcessId, amount, what, limit);
        worker.Kill(reason);
    }
}
