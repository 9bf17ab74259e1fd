using Microsoft.Extensions.Logging;

namespace ProcessPool.Cli;

/// <summary>What plugins print, and what the pool warns of, on standard error. Deaths of calls are told by their results.</summary>
internal sealed class StandardErrorLogger : ILogger
{
    private static readonly HashSet<int> PluginOutput = [20, 21];
    private static readonly HashSet<int> ToldByResults = [11, 16];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (PluginOutput.Contains(eventId.Id) || logLevel >= LogLevel.Warning && !ToldByResults.Contains(eventId.Id))
        {
            Console.Error.WriteLine(exception is null ? formatter(state, exception) : $"{formatter(state, exception)} {exception.Message}");
        }
    }
}
