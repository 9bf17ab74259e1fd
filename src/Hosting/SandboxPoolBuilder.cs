using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ProcessPool.Hosting;
using ProcessPool.Hosting.Configuration;

namespace ProcessPool;

/// <summary>What can be said of a pool among the services of an application.</summary>
public sealed class SandboxPoolBuilder
{
    internal SandboxPoolBuilder(IServiceCollection services, string? name)
    {
        Services = services;
        Name = name;
    }

    /// <summary>The pool's name; null: it has none.</summary>
    public string? Name { get; }

    /// <summary>The services that it was added to.</summary>
    public IServiceCollection Services { get; }

    private string Key => Name ?? Options.DefaultName;

    /// <summary>
    /// Takes options from the application's configuration, after what was set in code so far. Keys are the names of the options. Those that are not known, and values that cannot be read, are reported when the host starts, all at once.
    /// </summary>
    /// <param name="section">The path of the section, such as <c>Sandboxes:Pdf</c>. One that is not there has no effect.</param>
    /// <returns>This builder.</returns>
    public SandboxPoolBuilder BindConfiguration(string section)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(section);
        Services.AddOptions<SandboxPoolOptions>(Key).Configure<IConfiguration>((options, configuration) => PoolConfiguration.Apply(configuration.GetSection(section), options));
        Services.AddSingleton<IValidateOptions<SandboxPoolOptions>>(provider => new PoolConfigurationValidator(Key, provider.GetRequiredService<IConfiguration>().GetSection(section)));
        return this;
    }

    /// <summary>Sets options with what other services know.</summary>
    /// <param name="configure">Sets them.</param>
    /// <returns>This builder.</returns>
    public SandboxPoolBuilder Configure(Action<SandboxPoolOptions, IServiceProvider> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        Services.AddOptions<SandboxPoolOptions>(Key).Configure<IServiceProvider>(configure);
        return this;
    }

    /// <summary>Sets how the pool starts and stops with the host.</summary>
    /// <param name="configure">Sets it.</param>
    /// <returns>This builder.</returns>
    public SandboxPoolBuilder ConfigureLife(Action<PoolLifeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        Services.Configure(Key, configure);
        return this;
    }

    /// <summary>Adds a typed proxy of the pool, with the pool's key. The plugin's implementation is compared with it when the pool starts.</summary>
    /// <typeparam name="T">The contract: an interface whose methods return tasks or asynchronous streams.</typeparam>
    /// <param name="call">Options of every call; null: those of the pool.</param>
    /// <returns>This builder.</returns>
    public SandboxPoolBuilder AddContract<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] T>(CallOptions? call = null)
        where T : class
    {
        Services.AddOptions<SandboxPoolOptions>(Key).Configure(options => options.Contracts.Add(typeof(T)));
        if (Name is null)
        {
            Services.AddSingleton(provider => provider.GetRequiredService<SandboxPool>().GetProxy<T>(call));
        }
        else
        {
            Services.AddKeyedSingleton(Name, (provider, _) => provider.GetRequiredKeyedService<SandboxPool>(Name).GetProxy<T>(call));
        }

        return this;
    }
}
