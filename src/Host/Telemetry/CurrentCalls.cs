using System.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;

namespace ProcessPool.Telemetry;

/// <summary>The spans of the calls that a worker has in hand. Thread-safe.</summary>
internal sealed class CurrentCalls
{
    private volatile Dictionary<long, Activity> _spans = [];

    /// <summary>From now on it has this one.</summary>
    public void Begin(CallRequest request)
    {
        if (request.Trace?.Activity is { } span)
        {
            _spans = new() { [request.Id] = span };
        }
    }

    /// <summary>From now on it has these.</summary>
    public void Begin(Chunk calls)
    {
        Dictionary<long, Activity>? spans = null;
        for (var i = 0; i < calls.Count; i++)
        {
            if (calls.TraceOf(i)?.Activity is { } span)
            {
                (spans ??= new(calls.Count))[calls.IdOf(i)] = span;
            }
        }

        _spans = spans ?? _spans;
    }

    /// <summary>It has none any more.</summary>
    public void End()
    {
        if (_spans.Count > 0)
        {
            _spans = [];
        }
    }

    /// <summary>The span of a call that is executing and traced; otherwise null.</summary>
    public Activity? Find(long callId) => _spans.TryGetValue(callId, out var span) && !span.IsStopped ? span : null;
}
