using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ProcessPool.Hosting;

namespace ProcessPool;

/// <summary>Adds pools to the services of an application.</summary>
public static class SandboxPoolServices
{
    /// <summary>
    /// Adds a pool that starts and stops with the host. It is a singleton: <c>[FromKeyedServices(name)] SandboxPool</c>. Its loggers, if the options have none, are the application's: the category is <c>ProcessPool.name</c>, and the plugin's own for what the plugin logs; its clock is the
    /// <see cref="TimeProvider"/> among the services, if there is one.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="name">The pool's name: the key of its services, and a prefix of its workers' names.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>What can be said of it further.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="InvalidOperationException">There is a pool of that name.</exception>
    /// <example><code>
    /// builder.Services.AddSandboxPool("pdf", options => options.Plugin = "plugins/Acme.Pdf").AddContract&lt;IPdfRenderer&gt;();
    /// </code></example>
    public static SandboxPoolBuilder AddSandboxPool(this IServiceCollection services, string name, Action<SandboxPoolOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return Add(services, name, configure);
    }

    /// <summary>Adds the application's only pool, or the one that is meant where none is named: <c>SandboxPool</c>, without a key.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>What can be said of it further.</returns>
    /// <exception cref="InvalidOperationException">There is a pool without a name.</exception>
    public static SandboxPoolBuilder AddSandboxPool(this IServiceCollection services, Action<SandboxPoolOptions>? configure = null) => Add(services, null, configure);

    private static SandboxPoolBuilder Add(IServiceCollection services, string? name, Action<SandboxPoolOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        var key = name ?? Options.DefaultName;
        if (services.Any(service => service.ServiceType == typeof(SandboxPool) && Equals(service.ServiceKey, name)))
        {
            throw new InvalidOperationException(name is null
                ? "There is a sandbox pool without a name already. Give each a name, or configure the one there is with services.Configure<SandboxPoolOptions>(…)."
                : $"There is a sandbox pool '{name}' already. Give each a name of its own, or configure the one there is with services.Configure<SandboxPoolOptions>(\"{name}\", …).");
        }

        var options = services.AddOptions<SandboxPoolOptions>(key).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        options.PostConfigure<IServiceProvider>((pool, provider) => Complete(pool, name, provider));
        services.AddSingleton<IValidateOptions<SandboxPoolOptions>>(new PoolOptionsValidator(key));
        services.AddOptions<PoolLifeOptions>(key).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PoolLifeOptions>, PoolLifeOptionsValidator>());
        services.AddSingleton<IHostedService>(provider => new PoolLife(() => PoolOf(provider, name), () => provider.GetRequiredService<IOptionsMonitor<PoolLifeOptions>>().Get(key)));
        if (name is null)
        {
            services.AddSingleton(provider => Make(provider, key));
        }
        else
        {
            services.AddKeyedSingleton(name, (provider, _) => Make(provider, key));
        }

        return new SandboxPoolBuilder(services, name);
    }

    internal static SandboxPool? FindPool(IServiceProvider provider, string? name) => name is null ? provider.GetService<SandboxPool>() : provider.GetKeyedService<SandboxPool>(name);

    internal static SandboxPool PoolOf(IServiceProvider provider, string? name) =>
        name is null ? provider.GetRequiredService<SandboxPool>() : provider.GetRequiredKeyedService<SandboxPool>(name);

    private static SandboxPool Make(IServiceProvider provider, string key) => new(provider.GetRequiredService<IOptionsMonitor<SandboxPoolOptions>>().Get(key));

    private static void Complete(SandboxPoolOptions options, string? name, IServiceProvider provider)
    {
        options.Name ??= name;
        options.LoggerFactory ??= options.Logger is null ? provider.GetService<ILoggerFactory>() : null;
        if (options.TimeProvider == TimeProvider.System && provider.GetService<TimeProvider>() is { } time)
        {
            options.TimeProvider = time;
        }
    }
}
