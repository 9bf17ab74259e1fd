using System.Diagnostics;
using ProcessPool.Protocol;

namespace ProcessPool.Telemetry;

/// <summary>The spans of the calls that a worker has in hand. Thread-safe.</summary>
internal sealed class CurrentCalls
{
    private volatile Entry _entry = new(0, 0, null);

    /// <summary>From now on it has these, of successive numbers; only those that are traced are found.</summary>
    public void Begin(long first, int count, TraceParent? trace)
    {
        if (trace?.Activity is { } span)
        {
            _entry = new(first, count, span);
        }
    }

    /// <summary>The span of a call that is executing and traced; otherwise null.</summary>
    public Activity? Find(long callId) =>
        _entry is { Span: { IsStopped: false } span } entry && callId >= entry.First && callId - entry.First < entry.Count ? span : null;

    private sealed record Entry(long First, int Count, Activity? Span);
}
