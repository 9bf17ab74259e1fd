using System.Diagnostics;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;

namespace ProcessPool.Telemetry;

/// <summary>
/// Makes the spans of a sandbox again in this process, where there are exporters: beneath the call's own span, in the order in which they began. They get other ids here than they had
/// there. What the sandbox says of them is hostile: names are cut and cleaned, times are kept within the call, and a parent that is not among them is the call.
/// </summary>
internal static class SpanReplay
{
    /// <param name="call">The call's span, which has not ended.</param>
    /// <param name="spans">The sandbox's, its own first; null: none.</param>
    /// <param name="site">Where the call was executed.</param>
    /// <param name="sources">Those of the plugin's spans.</param>
    public static void Run(Activity call, SpanMessage[]? spans, FaultSite site, PluginSources sources)
    {
        // A span without a W3C id has no place that others could be beneath.
        if (spans is null or [] || call.IdFormat != ActivityIdFormat.W3C)
        {
            return;
        }

        var current = Activity.Current;
        var made = new Dictionary<string, ActivityContext>(StringComparer.Ordinal);
        var room = WireLimits.MaxSpanBytes;
        try
        {
            foreach (var span in spans)
            {
                // A sandbox of ours keeps to that; what it sends more would stay in the exporters' memory.
                if ((room -= span.MaxBytes) < 0)
                {
                    break;
                }

                Activity.Current = null;
                var parent = made.GetValueOrDefault(span.Parent, made.Count == 0 ? call.Context : made[spans[0].Id]);
                made[span.Id] = Make(span, parent, call, site, made.Count == 0 ? CallTrace.Source : sources.Find(WireText.Line(span.Source))) ?? parent;
            }
        }
        catch (Exception)
        {
            // A listener of the user's: it must not cost the call its result.
        }
        finally
        {
            Activity.Current = current;
        }
    }

    /// <returns>Where it is in the trace; null when nobody wants it.</returns>
    private static ActivityContext? Make(SpanMessage span, ActivityContext parent, Activity call, FaultSite site, ActivitySource? source)
    {
        var kind = span.Kind is >= (int)ActivityKind.Internal and <= (int)ActivityKind.Consumer ? (ActivityKind)span.Kind : ActivityKind.Internal;
        using var activity = source?.CreateActivity(WireText.Line(span.Name), kind, parent, Tags(span.Tags));
        if (activity is null)
        {
            return null;
        }

        var now = DateTime.UtcNow;
        var start = Within(span.StartedAt, call.StartTimeUtc, now);
        activity.SetStartTime(start);
        activity.Start();
        if (source == CallTrace.Source)
        {
            CallTrace.Executed(activity, site.Worker, site.ProcessId);
        }

        foreach (var each in span.Events)
        {
            activity.AddEvent(new ActivityEvent(WireText.Line(each.Name), Within(each.At, start, now), new ActivityTagsCollection(Tags(each.Tags)!)));
        }

        if (span.Status is (int)ActivityStatusCode.Ok or (int)ActivityStatusCode.Error)
        {
            activity.SetStatus((ActivityStatusCode)span.Status, span.StatusText.Length > 0 ? Text(span.StatusText) : null);
        }

        activity.SetEndTime(start + TimeSpan.FromTicks(Math.Clamp(span.Duration, 0, Math.Max(0, (now - start).Ticks))));
        activity.Stop();
        return activity.Context;
    }

    private static DateTime Within(long ticks, DateTime from, DateTime to) => new(Math.Clamp(ticks, from.Ticks, Math.Max(from.Ticks, to.Ticks)), DateTimeKind.Utc);

    private static IEnumerable<KeyValuePair<string, object?>> Tags(TagMessage[] tags) =>
        tags.Select(tag => new KeyValuePair<string, object?>(Text(tag.Name), tag.Value is string text ? Text(text) : tag.Value));

    private static string Text(string text) => WireText.Of(text, WireLimits.MaxTagText);
}
