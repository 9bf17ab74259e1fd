using ProcessPool.Scheduling;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>The watches on single ones of calls that go together: those that are to end. Its user's lock is around it.</summary>
/// <param name="calls">The calls.</param>
/// <param name="worker">The worker that has them.</param>
/// <param name="settings">The pool's.</param>
internal sealed class ChunkWatches(Chunk calls, IWorker worker, PoolSettings settings)
{
    private readonly Dictionary<int, CallWatch> _watches = [];

    public bool Has(int index) => _watches.ContainsKey(index);

    /// <summary>The one on a call that was told to end; null: it was not.</summary>
    public CallWatch? Told(int index) => _watches.GetValueOrDefault(index) is { } watch && watch.Reason != EndReason.None ? watch : null;

    /// <summary>All of them, to be disposed.</summary>
    public List<CallWatch> All => [.. _watches.Values];

    /// <summary>Adds one, to be armed when the lock is left: a user's code may run then.</summary>
    /// <param name="index">The call.</param>
    /// <param name="wasBegun">The worker has begun it, or one after it.</param>
    public CallWatch Add(int index, bool wasBegun)
    {
        var call = calls[index];
        var watch = new CallWatch(call, worker, settings) { WasBegun = wasBegun };
        watch.Ask.UnsafeRegister(_ => worker.Cancel(call.Request.Id), null);
        _watches.Add(index, watch);
        return watch;
    }

    /// <summary>Takes out the one on a call, to be disposed; null: there is none.</summary>
    public CallWatch? Take(int index) => _watches.Remove(index, out var watch) ? watch : null;
}
