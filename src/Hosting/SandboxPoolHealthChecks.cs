using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ProcessPool.Hosting;

namespace ProcessPool;

/// <summary>Adds health checks of pools.</summary>
public static class SandboxPoolHealthChecks
{
    /// <summary>
    /// Adds a check that is healthy while the pool runs, degraded while it has fewer workers than it should, and fails when it takes no calls or there is no such pool. It looks at the pool and calls nothing.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">The pool's name; null: the one without a name.</param>
    /// <param name="failureStatus">What a pool that takes no calls is reported as. Default: <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">Tags of the check, such as <c>ready</c>.</param>
    /// <returns>The health checks.</returns>
    public static IHealthChecksBuilder AddSandboxPool(this IHealthChecksBuilder builder, string? name = null, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(name is null ? "sandbox-pool" : $"sandbox-pool-{name}", provider => new PoolHealthCheck(name, SandboxPoolServices.FindPool(provider, name)), failureStatus, tags));
    }
}
