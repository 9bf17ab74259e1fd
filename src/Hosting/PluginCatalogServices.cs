using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ProcessPool.Hosting;

namespace ProcessPool;

/// <summary>Adds a watched folder of plugins to the services of an application.</summary>
public static class PluginCatalogServices
{
    /// <summary>Adds the application's <see cref="PluginCatalog"/>, a singleton that starts and stops with the host. Its logger, if the options have none, is that of the category <c>ProcessPool.PluginCatalog</c>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>The services.</returns>
    /// <exception cref="InvalidOperationException">There is one already.</exception>
    public static IServiceCollection AddPluginCatalog(this IServiceCollection services, Action<PluginCatalogOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(service => service.ServiceType == typeof(PluginCatalog)))
        {
            throw new InvalidOperationException("There is a plugin catalog already. An application has one; make further ones with new PluginCatalog(…).");
        }

        services.AddOptions<PluginCatalogOptions>().Configure(configure).PostConfigure<IServiceProvider>(Complete).ValidateOnStart();
        services.AddSingleton<IValidateOptions<PluginCatalogOptions>, CatalogOptionsValidator>();
        services.AddSingleton(provider => new PluginCatalog(provider.GetRequiredService<IOptions<PluginCatalogOptions>>().Value));
        services.AddSingleton<IHostedService>(provider => new CatalogLife(provider.GetRequiredService<PluginCatalog>));
        return services;
    }

    private static void Complete(PluginCatalogOptions options, IServiceProvider provider)
    {
        if (options.Logger is null && provider.GetService<ILoggerFactory>() is { } loggers)
        {
            options.Logger = loggers.CreateLogger("ProcessPool.PluginCatalog");
            var configure = options.ConfigurePool;
            options.ConfigurePool = (name, pool) =>
            {
                pool.LoggerFactory = loggers;
                configure?.Invoke(name, pool);
            };
        }

        if (options.TimeProvider == TimeProvider.System && provider.GetService<TimeProvider>() is { } time)
        {
            options.TimeProvider = time;
        }
    }
}
