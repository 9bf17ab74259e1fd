using Microsoft.Extensions.Logging;

namespace ProcessPool.Cli;

/// <summary>What plugins print, and what the pool warns of, on standard error. Deaths of calls are told by their results.</summary>
/// <param name="workerEnded">Told why, when a worker died or was killed for its call.</param>
internal sealed class StandardErrorLogger(Action<string>? workerEnded = null) : ILogger
{
    private static readonly HashSet<int> PluginOutput = [Diagnostics.Log.StandardOutputId, Diagnostics.Log.StandardErrorId];
    private static readonly HashSet<int> ToldByResults = [Diagnostics.Log.WorkerDiedId, Diagnostics.Log.CallKilledId, Diagnostics.Log.CallRetriedId];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (workerEnded is not null && (eventId.Id is Diagnostics.Log.WorkerDiedId or Diagnostics.Log.CallKilledId) && state is IReadOnlyList<KeyValuePair<string, object?>> values)
        {
            // Of a worker that the pool has killed, the signal does not say why.
            var reason = Value(values, "Reason") is CrashReason why and not CrashReason.Crashed ? why : Value(values, "Signal");
            workerEnded($"{reason ?? Value(values, "Reason") ?? Value(values, "Why")}");
        }

        if (PluginOutput.Contains(eventId.Id) || logLevel >= LogLevel.Warning && !ToldByResults.Contains(eventId.Id))
        {
            Console.Error.WriteLine(exception is null ? formatter(state, exception) : $"{formatter(state, exception)} {exception.Message}");
        }
    }

    private static object? Value(IReadOnlyList<KeyValuePair<string, object?>> values, string name) => values.FirstOrDefault(pair => pair.Key == name).Value;
}
