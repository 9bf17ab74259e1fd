using ProcessPool.Binding.Contracts;
using ProcessPool.Generated;
using ProcessPool.Scheduling;

namespace ProcessPool.Proxies;

/// <summary>The calls of a contract proxy, generated or not: to any worker of a pool, or to the one of a lease.</summary>
internal sealed class PoolCaller(SandboxPool pool, CallOptions? options, Lease? lease) : ContractCaller, IContractCaller
{
    public override Task<T> InvokeAsync<T>(string entryPoint, object?[] arguments, Type[] types, CancellationToken cancellationToken) =>
        pool.InvokeAsync<T>(entryPoint, CallArguments.Typed(arguments, types), options, lease, cancellationToken);

    public override Task InvokeAsync(string entryPoint, object?[] arguments, Type[] types, CancellationToken cancellationToken) =>
        pool.InvokeAsync(entryPoint, CallArguments.Typed(arguments, types), options, lease, cancellationToken);

    public override IAsyncEnumerable<T> StreamAsync<T>(string entryPoint, object?[] arguments, Type[] types, CancellationToken cancellationToken) =>
        pool.StreamAsync<T>(entryPoint, CallArguments.Typed(arguments, types), options, lease, cancellationToken);
}
