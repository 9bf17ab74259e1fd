using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ProcessPool.Telemetry;

namespace ProcessPool.Unit.Tests.Host.Telemetry;

/// <summary>A category is the plugin's choice, and a factory keeps every logger that it made.</summary>
public sealed class PluginLoggersTests
{
    [Fact]
    public void A_plugin_makes_a_bounded_number_of_loggers_however_often_it_is_started_anew()
    {
        var factory = new Factory();
        var loggers = new PluginLoggers(factory);
        for (var i = 0; i < 10_000; i++)
        {
            _ = loggers.Find($"Hostile.{i}");
        }

        Assert.Equal(PluginLoggers.MaxCategories, factory.Made);
        Assert.NotNull(loggers.Find("Hostile.0"));
        Assert.Null(loggers.Find("Hostile.9999"));
    }

    [Fact]
    public void Without_a_factory_or_with_one_that_throws_there_is_none()
    {
        Assert.Null(new PluginLoggers(null).Find("a"));
        var factory = new Factory();
        factory.Dispose();
        Assert.Null(new PluginLoggers(factory).Find("a"));
    }

    private sealed class Factory : ILoggerFactory
    {
        private bool _isDisposed;

        public int Made { get; private set; }

        public ILogger CreateLogger(string categoryName)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Made++;
            return NullLogger.Instance;
        }

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose() => _isDisposed = true;
    }
}
