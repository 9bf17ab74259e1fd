using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using ProcessPool.Binding.Contracts;
using ProcessPool.Generated;
using ProcessPool.Plugins;
using ProcessPool.Protocol;
using ProcessPool.Proxies;
using ProcessPool.Scheduling;
using ProcessPool.Supervision;

namespace ProcessPool;

/// <content>Calling through contracts: proxies and leases.</content>
public sealed partial class SandboxPool
{
    /// <summary>
    /// A typed proxy: each method of the contract is a call of <c>IContract.Method</c> and goes to the next free worker. It may be stored
    /// and shared; it survives restarts of workers and of the pool.
    /// </summary>
    /// <typeparam name="T">
    /// An interface whose methods return <see cref="Task"/>, <see cref="ValueTask"/> or <see cref="IAsyncEnumerable{T}"/>. The plugin has its own copy of it. The proxy is generated
    /// when the program is compiled; where that was not possible (a type parameter), it is made at run time, which needs dynamic code.
    /// </typeparam>
    /// <param name="options">What its calls have different from the pool's options.</param>
    /// <exception cref="ArgumentException">The options are out of range.</exception>
    /// <exception cref="NotSupportedException">The contract has members that cannot be called across processes; the message names every one.</exception>
    /// <exception cref="PluginLoadException">The plugin's contract is another one; the message has both signatures. Before the first start it is thrown by <see cref="StartAsync(CancellationToken)"/>.</exception>
    public T GetProxy<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] T>(CallOptions? options = null)
        where T : class
    {
        options?.Check();
        ContractRules.RefuseUnsupported(typeof(T));
        Require(typeof(T));
        return MakeProxy<T>(new PoolCaller(this, options, lease: null));
    }

    /// <summary>
    /// Takes one worker out of the pool for work that keeps its state in the plugin. Its calls run in order, on that worker and no other; it is the pool's again when the lease is
    /// disposed. When the worker dies, this and every later call of the lease fails: the first with what happened, the others with <see cref="RejectionReason.LeaseLost"/>.
    /// </summary>
    /// <typeparam name="T">The contract, as for <see cref="GetProxy{T}"/>.</typeparam>
    /// <param name="options">What its calls have different from the pool's options; the priority counts for the lease itself too.</param>
    /// <param name="cancellationToken">Gives up waiting for a free worker.</param>
    /// <exception cref="CallRejectedException">The pool is not running or stopped meanwhile; or its queue is full.</exception>
    /// <exception cref="CallTimeoutException">No worker was free within <see cref="SandboxPoolOptions.QueueTimeout"/>.</exception>
    /// <inheritdoc cref="GetProxy{T}"/>
    public async Task<SandboxLease<T>> LeaseAsync<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] T>(CallOptions? options = null, CancellationToken cancellationToken = default)
        where T : class
    {
        options?.Check();
        ContractRules.RefuseUnsupported(typeof(T));
        Require(typeof(T));
        var (lease, worker) = await GrantAsync(options, cancellationToken).ConfigureAwait(false);
        try
        {
            return new SandboxLease<T>(this, lease, worker, options, MakeProxy<T>(new PoolCaller(this, options, lease)));
        }
        catch
        {
            lease.Release(Name);
            throw;
        }
    }

    /// <summary>Takes one worker out of the pool, for calls by name.</summary>
    /// <inheritdoc cref="LeaseAsync{T}"/>
    public async Task<SandboxLease> LeaseAsync(CallOptions? options = null, CancellationToken cancellationToken = default)
    {
        options?.Check();
        var (lease, worker) = await GrantAsync(options, cancellationToken).ConfigureAwait(false);
        return new SandboxLease(this, lease, worker, options);
    }

    private async Task<(Lease Lease, FaultSite Worker)> GrantAsync(CallOptions? options, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var version = _version ?? throw NotRunning(new FaultSite(Name));
            var lease = new Lease(version.Supervisor.NewQueue()) { Version = version };
            try
            {
                return (lease, await GrantAsync(lease, version.Supervisor, options, cancellationToken).ConfigureAwait(false));
            }
            catch (CallRejectedException rejected) when (version.CameTooLate(rejected))
            {
                // Another version has just become current: the lease is taken there.
            }
        }
    }

    private async Task<FaultSite> GrantAsync(Lease lease, Supervisor supervisor, CallOptions? options, CancellationToken cancellationToken)
    {
        var request = new CallRequest(Interlocked.Increment(ref _lastCallId), "a lease", default, []);
        var call = new Invocation(request, default, (options ?? CallOptions.Default) with { AffinityKey = null }, callbacks: null, cancellationToken) { Lease = lease };
        using var registration = cancellationToken.UnsafeRegister(_ => supervisor.Queue.Withdraw(call), null);
        _ = Submit(supervisor.Queue, call);
        if (await Task.WhenAny(lease.Granted, call.Settled).ConfigureAwait(false) != lease.Granted)
        {
            await call.Settled.ConfigureAwait(false);
        }

        return await lease.Granted.ConfigureAwait(false);
    }

    private void Require(Type contract)
    {
        lock (_contracts)
        {
            if (_plugin is { } plugin && !_contracts.Contains(contract))
            {
                ContractComparison.RefuseDifferences(contract, plugin);
            }

            _contracts.Add(contract);
        }
    }

    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Only where dynamic code is supported.")]
    private static T MakeProxy<T>(PoolCaller caller)
        where T : class
    {
        if (ContractProxies.Create<T>(caller) is { } generated)
        {
            return generated;
        }

        return RuntimeFeature.IsDynamicCodeSupported
            ? (T)ContractProxy.Create(typeof(T), caller)
            : throw new NotSupportedException(
                $"No proxy for {typeof(T)} was generated, and this program cannot make one at run time (Native AOT, or a file-based app). " +
                $"Write GetProxy<{typeof(T).Name}>() with the contract's own name, not with a type parameter, and let the contract be at least internal.");
    }
}
