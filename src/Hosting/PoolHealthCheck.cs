using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ProcessPool.Hosting;

/// <summary>What a pool's state means for the application.</summary>
/// <param name="name">Its name; null: the one without a name.</param>
/// <param name="pool">Null: there is none of that name.</param>
internal sealed class PoolHealthCheck(string? name, SandboxPool? pool) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (pool is null)
        {
            return Task.FromResult(new HealthCheckResult(
                context.Registration.FailureStatus, name is null ? "There is no sandbox pool without a name: add one with services.AddSandboxPool(…)." : $"There is no sandbox pool '{name}': add it with services.AddSandboxPool(\"{name}\", …)."));
        }

        var (state, error) = (pool.State, pool.LastWorkerError);
        var data = new Dictionary<string, object> { ["state"] = $"{state}", ["workers"] = pool.WorkerCount };
        return Task.FromResult(state switch
        {
            PoolState.Running => HealthCheckResult.Healthy($"Pool {pool.Name} runs.", data),
            PoolState.Degraded => HealthCheckResult.Degraded($"Pool {pool.Name} has fewer workers than the {pool.WorkerCount} that it should have.{Last(error)}", error, data),
            _ => new HealthCheckResult(context.Registration.FailureStatus, $"Pool {pool.Name} takes no calls: it is {state}.{Last(error)}", error, data),
        });
    }

    private static string Last(SandboxPoolException? error) => error is null ? "" : $" What happened last: {error.Message}";
}
