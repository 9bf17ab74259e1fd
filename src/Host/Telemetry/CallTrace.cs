using System.Diagnostics;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;

namespace ProcessPool.Telemetry;

/// <summary>The client span of a call, as OpenTelemetry has it for JSON-RPC: https://opentelemetry.io/docs/specs/semconv/rpc/json-rpc/. What a listener throws fails no call.</summary>
internal static class CallTrace
{
    /// <summary>The source of every span that is not a plugin's.</summary>
    public static ActivitySource Source { get; } = new(SandboxPoolTelemetry.ActivitySourceName, typeof(CallTrace).Assembly.GetName().Version?.ToString(3));

    /// <summary>Whether anybody may want spans.</summary>
    public static bool IsListenedTo => Source.HasListeners();

    /// <summary>Begins one; null when nobody wants it.</summary>
    public static Activity? Begin(string pool, string entryPoint) => IsListenedTo ? Start(entryPoint, pool, entryPoint) : null;

    /// <summary>Begins that of a map.</summary>
    public static Activity? BeginMap(string pool, string entryPoint) => IsListenedTo ? Start($"map {entryPoint}", pool, entryPoint) : null;

    /// <summary>The call was answered.</summary>
    /// <param name="activity">Its span, or null.</param>
    /// <param name="settled">The answer, which is the sandbox's word.</param>
    /// <param name="sources">Those of the plugin's spans.</param>
    public static void Answered(Activity? activity, SettledCall settled, PluginSources sources)
    {
        if (activity is null)
        {
            return;
        }

        Executed(activity, settled.Incarnation.Worker.Name, settled.Incarnation.Worker.ProcessId);
        if (ErrorType.OfStatus(settled.Reply.Status) is { } type)
        {
            activity.SetTag(AttributeNames.ErrorType, type);
            activity.SetStatus(ActivityStatusCode.Error, WireText.Of(settled.Reply.Error?.Message ?? "", WireLimits.MaxErrorMessage));
        }

        SpanReplay.Run(activity, settled.Reply.Spans, settled.Site, sources);
    }

    /// <summary>The call has failed.</summary>
    /// <returns>False: it is for a filter, which is to let the exception pass.</returns>
    public static bool Failed(Activity? activity, Exception error)
    {
        if (activity is null)
        {
            return false;
        }

        if (error is SandboxPoolException { WorkerName: { } worker, ProcessId: var processId })
        {
            Executed(activity, worker, processId);
        }

        if (error is WorkerCrashedException crash)
        {
            activity.SetTag(AttributeNames.ExitCode, crash.ExitCode);
            activity.SetTag(AttributeNames.ExitSignal, crash.Signal);
        }

        activity.SetTag(AttributeNames.ErrorType, ErrorType.Of(error));
        activity.SetStatus(ActivityStatusCode.Error, error.Message);
        return false;
    }

    /// <summary>Where it was executed is known.</summary>
    public static void Executed(Activity activity, string? worker, int? processId)
    {
        activity.SetTag(AttributeNames.Worker, worker);
        activity.SetTag(AttributeNames.ProcessId, processId);
    }

    private static Activity? Start(string name, string pool, string entryPoint)
    {
        var before = Activity.Current;
        try
        {
            return Source.StartActivity(
                name, ActivityKind.Client, default(ActivityContext), [new(AttributeNames.System, AttributeNames.JsonRpc), new(AttributeNames.Method, entryPoint), new(AttributeNames.Pool, pool)]);
        }
        catch (Exception)
        {
            Activity.Current = before;
            return null;
        }
    }
}
