using System.Diagnostics;

namespace ProcessPool.Binding.Spans;

using Span = (string Source, string Name, int Kind, string Id, string Parent, long StartedAt, long Duration, int Status, string StatusText, KeyValuePair<string, object?>[] Tags, (string Name, long At, KeyValuePair<string, object?>[] Tags)[] Events);

/// <summary>
/// The span of the call that executes, as the host's is its parent, and what the plugin's own sources make beneath it. Here, because the plugin may have its own version of
/// <see cref="ActivitySource"/>. Nothing is exported from here: the spans go to the host when the call has ended, for a child ends before its parent does.
/// </summary>
internal sealed class CallSpan
{
    /// <summary>How many spans are kept of one call, its own among them.</summary>
    private const int Most = 128;

    private static readonly ActivitySource Source = new("ProcessPool");
    private static readonly Lock Gate = new();
    private static ActivityListener? s_listener;
    private static volatile CallSpan? s_current;

    private readonly List<Activity> _began = [];
    private readonly HashSet<ActivitySpanId> _places = [];
    private readonly ActivityTraceId _trace;
    private readonly Activity? _before = Activity.Current;
    private Activity? _own;
    private int _dropped;
    private bool _isOver;

    private CallSpan(string entryPoint, ActivityContext parent)
    {
        _trace = parent.TraceId;
        s_current = this;
        Guarded(() => _own = Source.StartActivity(entryPoint, ActivityKind.Server, parent, [new("rpc.system.name", "jsonrpc"), new("rpc.method", entryPoint)]));
    }

    /// <summary>Begins one. What runs from here on is in it.</summary>
    /// <param name="entryPoint">The entry point's name.</param>
    /// <param name="parent">The host's <c>traceparent</c>.</param>
    /// <param name="state">The host's <c>tracestate</c>, or "".</param>
    /// <param name="collects">Whether the spans are to be handed over; if not, they are left to the listeners of this process, which is the host's.</param>
    /// <returns>What makes it the current one elsewhere; and what ends it, with a status of <see cref="ActivityStatusCode"/>, and hands over the spans in the order in which they began. Null: the parent is none.</returns>
    public static (Action Enter, Func<int, Span[]> End)? Begin(string entryPoint, string parent, string state, bool collects)
    {
        if (!ActivityContext.TryParse(parent, state.Length > 0 ? state : null, isRemote: true, out var context))
        {
            return null;
        }

        if (collects)
        {
            Listen();
        }

        var span = new CallSpan(entryPoint, context);
        return (span.Enter, span.End);
    }

    private static void Listen()
    {
        lock (Gate)
        {
            if (s_listener is null)
            {
                s_listener = new ActivityListener
                {
                    ShouldListenTo = _ => true,
                    Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                        s_current?._trace == options.Parent.TraceId ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
                    ActivityStarted = activity => s_current?.Add(activity),
                };
                ActivitySource.AddActivityListener(s_listener);
            }
        }
    }

    private void Enter()
    {
        if (_own is not null)
        {
            Guarded(() => Activity.Current = _own);
        }
    }

    private void Add(Activity activity)
    {
        lock (_began)
        {
            // Its own is the first. What an earlier call of the same trace has left behind has another parent.
            if (_isOver || activity.TraceId != _trace || !(_began.Count == 0 ? activity.Source == Source : _places.Contains(activity.ParentSpanId)))
            {
                return;
            }

            if (_began.Count < Most)
            {
                _began.Add(activity);
                _places.Add(activity.SpanId);
            }
            else
            {
                _dropped++;
            }
        }
    }

    private Span[] End(int status)
    {
        lock (_began)
        {
            _isOver = true;
        }

        s_current = null;
        if (_dropped > 0)
        {
            _own?.SetTag("processpool.spans.dropped", _dropped);
        }

        Guarded(() => _own?.SetStatus((ActivityStatusCode)status).Stop());

        // Those that have not ended belong to something that the call has left behind.
        return _own is null ? [] : [.. _began.Where(activity => activity.IsStopped).Select(ToSpan)];
    }

    // A plugin may listen too, and what its listener throws is not the call's. The current span is then what it was before the call.
    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception)
        {
            Activity.Current = _before;
        }
    }

    private static Span ToSpan(Activity activity) => (
        activity.Source.Name, activity.DisplayName, (int)activity.Kind, activity.SpanId.ToHexString(), activity.ParentSpanId.ToHexString(), activity.StartTimeUtc.Ticks, activity.Duration.Ticks,
        (int)activity.Status, activity.StatusDescription ?? "", [.. activity.TagObjects], [.. activity.Events.Select(each => (each.Name, each.Timestamp.UtcTicks, each.Tags.ToArray()))]);
}
