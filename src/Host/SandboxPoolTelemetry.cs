namespace ProcessPool;

/// <summary>
/// The names under which every pool of this process reports, for <c>AddMeter</c> and <c>AddSource</c> of OpenTelemetry, and for dotnet-counters and dotnet-trace. What they carry is in docs/telemetry.md.
/// </summary>
public static class SandboxPoolTelemetry
{
    /// <summary>The <see cref="System.Diagnostics.Metrics.Meter"/>: workers, exits, waiting calls, durations.</summary>
    public const string MeterName = "ProcessPool";

    /// <summary>
    /// The <see cref="System.Diagnostics.ActivitySource"/>: a client span for each call, beneath it the sandbox's. The spans of a plugin's own sources come under their own names; add those too.
    /// </summary>
    public const string ActivitySourceName = "ProcessPool";

    /// <summary>The <see cref="System.Diagnostics.Tracing.EventSource"/>: counters, the lives of workers, and, where they are asked for, snapshots of all of them each second.</summary>
    public const string EventSourceName = "ProcessPool";
}
