using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;

namespace ProcessPool.Telemetry;

/// <summary>Writes what a worker's plugin logs to the host's log. Everything in an entry is the plugin's choice: it is cut and cleaned.</summary>
/// <param name="settings">The pool's.</param>
/// <param name="pool">The pool's name.</param>
/// <param name="worker">The worker's name.</param>
/// <param name="processId">The worker's process.</param>
/// <param name="calls">What the worker has in hand.</param>
internal sealed class PluginLog(PoolSettings settings, string pool, string worker, int? processId, CurrentCalls calls)
{
    public void Write(PluginLogEntry entry)
    {
        var category = WireText.Line(entry.Category);
        if (settings.PluginLoggers.Find(category.Length > 0 ? category : $"{nameof(ProcessPool)}.{pool}.Plugin") is not { } logger)
        {
            settings.Logger.PluginLogged(worker, entry.Level, category, Text(entry.Message), WireText.Of(entry.Exception, WireLimits.MaxStackTrace));
            return;
        }

        var before = Activity.Current;
        try
        {
            // What is logged now belongs to the call's trace.
            Activity.Current = calls.Find(entry.CallId) ?? before;
            Write(logger, entry);
        }
        finally
        {
            Activity.Current = before;
        }
    }

    private void Write(ILogger logger, PluginLogEntry entry)
    {
        var level = (LogLevel)Math.Clamp(entry.Level, (int)LogLevel.Trace, (int)LogLevel.Critical);
        if (!logger.IsEnabled(level))
        {
            return;
        }

        using var ours = logger.BeginScope(LogValues.OfWorker(pool, worker, processId, entry.CallId));
        var scopes = entry.Scopes.Select(scope => logger.BeginScope(LogValues.Of(Text(scope.Text), scope.Properties))).ToList();
        var id = new EventId(entry.EventId, entry.EventName.Length > 0 ? WireText.Line(entry.EventName) : null);
        var thrown = entry.Exception.Length > 0 ? new LoggedException(WireText.Of(entry.Exception, WireLimits.MaxStackTrace)) : null;
        var values = LogValues.Of(Text(entry.Message), entry.Properties);
        logger.Log(level, id, values, thrown, (written, _) => written.ToString());
        for (var i = scopes.Count - 1; i >= 0; i--)
        {
            scopes[i]?.Dispose();
        }
    }

    private static string Text(string text) => WireText.Of(text, WireLimits.MaxErrorMessage);
}
