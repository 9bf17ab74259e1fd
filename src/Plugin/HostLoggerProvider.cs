using Microsoft.Extensions.Logging;

namespace ProcessPool;

/// <summary>Passes the plugin's log on to the host.</summary>
internal sealed class HostLoggerProvider(IPluginContext context) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new HostLogger(context, categoryName);

    public void Dispose()
    {
        // The context is not ours.
    }

    private sealed class HostLogger(IPluginContext context, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                context.Log((PluginLogLevel)logLevel, formatter(state, exception), exception, category);
            }
        }
    }
}
