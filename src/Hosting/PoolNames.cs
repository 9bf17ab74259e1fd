using Microsoft.Extensions.DependencyInjection;

namespace ProcessPool.Hosting;

/// <summary>Which pools there are among the services of an application.</summary>
internal sealed class PoolNames
{
    private readonly HashSet<string> _names = [];

    /// <exception cref="InvalidOperationException">It is taken.</exception>
    public static void Take(IServiceCollection services, string name)
    {
        if (services.FirstOrDefault(service => service.ServiceType == typeof(PoolNames))?.ImplementationInstance is not PoolNames names)
        {
            names = new PoolNames();
            services.AddSingleton(names);
        }

        if (!names._names.Add(name))
        {
            throw new InvalidOperationException(name.Length == 0
                ? "There is a sandbox pool without a name already. Give each a name, or configure the one there is with services.Configure<SandboxPoolOptions>(…)."
                : $"There is a sandbox pool '{name}' already. Give each a name of its own, or configure the one there is with services.Configure<SandboxPoolOptions>(\"{name}\", …).");
        }
    }
}
