using ProcessPool.Scheduling;

namespace ProcessPool;

/// <summary>One worker of a pool for one user, until it is disposed. All members are thread-safe; calls run one after the other, in the order they were made.</summary>
public class SandboxLease : IAsyncDisposable
{
    private readonly SandboxPool _pool;
    private readonly Lease _lease;
    private readonly CallOptions? _options;

    internal SandboxLease(SandboxPool pool, Lease lease, FaultSite worker, CallOptions? options)
    {
        _pool = pool;
        _lease = lease;
        _options = options;
        WorkerName = worker.Worker!;
        ProcessId = worker.ProcessId;
    }

    /// <summary>The worker's name.</summary>
    public string WorkerName { get; }

    /// <summary>The worker's process; null in debug mode.</summary>
    public int? ProcessId { get; }

    /// <summary>Whether calls can still be made: the worker lives, and the lease was not disposed.</summary>
    public bool IsActive => !_lease.Ended.IsCompleted;

    /// <summary>Makes a call on the worker and returns its result.</summary>
    /// <exception cref="CallRejectedException">The worker is gone (<see cref="RejectionReason.LeaseLost"/>), the lease was disposed, or the pool stopped.</exception>
    /// <inheritdoc cref="SandboxPool.InvokeAsync{T}(string,CallArguments?,CancellationToken)"/>
    public Task<T> InvokeAsync<T>(string entryPoint, CallArguments? arguments = null, CancellationToken cancellationToken = default) =>
        _pool.InvokeAsync<T>(entryPoint, arguments, _options, _lease, cancellationToken);

    /// <summary>Makes a call on the worker and waits for its end; a result is ignored.</summary>
    /// <inheritdoc cref="InvokeAsync{T}"/>
    public Task InvokeAsync(string entryPoint, CallArguments? arguments = null, CancellationToken cancellationToken = default) =>
        _pool.InvokeAsync(entryPoint, arguments, _options, _lease, cancellationToken);

    /// <summary>Makes a call on the worker and yields the items of its stream. Further calls of the lease wait until it ends.</summary>
    /// <inheritdoc cref="SandboxPool.StreamAsync{T}(string,CallArguments?,CallOptions?,CancellationToken)"/>
    public IAsyncEnumerable<T> StreamAsync<T>(string entryPoint, CallArguments? arguments = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entryPoint);
        return _pool.StreamAsync<T>(entryPoint, arguments, _options, _lease, cancellationToken);
    }

    /// <summary>Gives the worker back when the calls that were made have ended. What the plugin keeps in it stays there: its next user may find it.</summary>
    public async ValueTask DisposeAsync()
    {
        _lease.Release(_pool.Name);
        await _lease.Ended.ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }
}

/// <summary>A lease with a typed proxy of its worker.</summary>
/// <typeparam name="T">The contract.</typeparam>
public sealed class SandboxLease<T> : SandboxLease
    where T : class
{
    internal SandboxLease(SandboxPool pool, Lease lease, FaultSite worker, CallOptions? options, T proxy)
        : base(pool, lease, worker, options) => Proxy = proxy;

    /// <summary>Calls the leased worker.</summary>
    public T Proxy { get; }
}
