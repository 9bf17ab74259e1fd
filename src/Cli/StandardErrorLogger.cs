using Microsoft.Extensions.Logging;

namespace ProcessPool.Cli;

/// <summary>What plugins print, and what the pool warns of, on standard error. Deaths of calls are told by their results.</summary>
/// <param name="workerEnded">Told why, when a worker died or was killed for its call.</param>
internal sealed class StandardErrorLogger(Action<string>? workerEnded = null) : ILogger
{
    private const int WorkerDied = 11;
    private const int CallKilled = 16;

    private static readonly HashSet<int> PluginOutput = [20, 21];
    private static readonly HashSet<int> ToldByResults = [WorkerDied, CallKilled, 33];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (workerEnded is not null && (eventId.Id is WorkerDied or CallKilled) && state is IReadOnlyList<KeyValuePair<string, object?>> values)
        {
            workerEnded($"{Value(values, "Signal") ?? Value(values, "Reason") ?? Value(values, "Why")}");
        }

        if (PluginOutput.Contains(eventId.Id) || logLevel >= LogLevel.Warning && !ToldByResults.Contains(eventId.Id))
        {
            Console.Error.WriteLine(exception is null ? formatter(state, exception) : $"{formatter(state, exception)} {exception.Message}");
        }
    }

    private static object? Value(IReadOnlyList<KeyValuePair<string, object?>> values, string name) => values.FirstOrDefault(pair => pair.Key == name).Value;
}
