using Microsoft.Extensions.Logging;

namespace ProcessPool;

/// <summary>Passes the plugin's log on to the host, with its categories, event ids, properties and scopes.</summary>
internal sealed class HostLoggerProvider(IPluginContext context) : ILoggerProvider, ISupportExternalScope
{
    private IExternalScopeProvider? _scopes;

    public ILogger CreateLogger(string categoryName) => new HostLogger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
        // The context is not ours.
    }

    private List<object> Scopes()
    {
        var scopes = new List<object>();
        _scopes?.ForEachScope((scope, list) => list.Add(scope ?? "null"), scopes);
        return scopes;
    }

    private sealed class HostLogger(HostLoggerProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => provider._scopes?.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                provider.Log(new PluginLogRecord((PluginLogLevel)logLevel, formatter(state, exception))
                {
                    Exception = exception,
                    Category = category,
                    EventId = eventId.Id,
                    EventName = eventId.Name,
                    Properties = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [],
                    Scopes = provider.Scopes(),
                });
            }
        }
    }

    private void Log(PluginLogRecord entry) => context.Log(entry);
}
