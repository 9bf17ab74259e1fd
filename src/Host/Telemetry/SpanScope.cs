using System.Diagnostics;

namespace ProcessPool.Telemetry;

/// <summary>Ends a span with the block in which it was begun. What a listener throws is not the call's.</summary>
/// <param name="Span">The span; null: nobody wants one.</param>
internal readonly record struct SpanScope(Activity? Span) : IDisposable
{
    public void Dispose()
    {
        try
        {
            Span?.Stop();
        }
        catch (Exception)
        {
            // It has ended all the same, but is still the current one.
            Activity.Current = Span!.Parent;
        }
    }
}
