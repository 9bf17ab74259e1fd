using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ProcessPool;

/// <summary>
/// Derive one public class from this in a plugin to have its <see cref="EntryPointAttribute"/> classes made by dependency injection: their constructors may ask for what
/// <see cref="ConfigureServices"/> registers, for <see cref="IPluginContext"/> and for <see cref="ILogger{TCategoryName}"/>, whose lines reach the host's log.
/// It is disposed with the worker, and what it made with it.
/// </summary>
/// <example><code>
/// public sealed class Startup : PluginStartup
/// {
///     protected override void ConfigureServices(IServiceCollection services, IPluginContext context) => services.AddSingleton&lt;Renderer&gt;();
/// }
/// </code></example>
public abstract class PluginStartup : IPluginActivator, IAsyncDisposable
{
    private readonly Stack<object> _made = new();
    private ServiceProvider? _provider;
    private AsyncServiceScope _scope;

    /// <summary>Registers the plugin's services. Called once, before the first of them is asked for.</summary>
    /// <param name="services">Logging and the context are in it already.</param>
    /// <param name="context">The worker's context, with the settings of the host.</param>
    protected abstract void ConfigureServices(IServiceCollection services, IPluginContext context);

    /// <inheritdoc/>
    public object Create(Type type, IPluginContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_provider is null)
        {
            _provider = Build(context);
            _scope = _provider.CreateAsyncScope();
        }

        if (_scope.ServiceProvider.GetService(type) is { } registered)
        {
            return registered;
        }

        _made.Push(ActivatorUtilities.CreateInstance(_scope.ServiceProvider, type));
        return _made.Peek();
    }

    /// <summary>Disposes what was made, last first, and then the services.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            while (_made.TryPop(out var made))
            {
                if (made is IAsyncDisposable asynchronous)
                {
                    await asynchronous.DisposeAsync().ConfigureAwait(false);
                }
                else if (made is IDisposable disposable)
                {
                    disposable.Dispose();
                }
            }
        }
        finally
        {
            if (_made.Count > 0)
            {
                // One has thrown: the others are disposed all the same.
                await DisposeAsync().ConfigureAwait(false);
            }
            else if (_provider is { } provider)
            {
                _provider = null;
                await _scope.DisposeAsync().ConfigureAwait(false);
                await provider.DisposeAsync().ConfigureAwait(false);
            }

            GC.SuppressFinalize(this);
        }
    }

    private ServiceProvider Build(IPluginContext context)
    {
        var services = new ServiceCollection();
        services.AddSingleton(context);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace));
        services.AddSingleton<ILoggerProvider>(new HostLoggerProvider(context));
        ConfigureServices(services, context);
        return services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
    }
}
