using ProcessPool.Calls;

namespace ProcessPool;

/// <summary>A fixed number of calls, made one by one and waited for together. All members are thread-safe.</summary>
/// <remarks>While calls of an entry point are short, some of them go to a worker together: a call may then wait up to four milliseconds for others to go with, unless the batch is full or complete.</remarks>
/// <typeparam name="T">The type of the results.</typeparam>
public sealed class CallBatch<T>
{
    private readonly BatchCalls<T> _calls;

    internal CallBatch(SandboxPool pool, PoolSettings settings, int size, CallOptions? options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        options?.Check();
        _calls = new BatchCalls<T>(pool, settings, size, options);
        Time = settings.Time;
    }

    /// <summary>How many calls the batch holds when it is full.</summary>
    public int Size => _calls.Size;

    /// <summary>How many calls were added.</summary>
    public int Count => _calls.Count;

    private TimeProvider Time { get; }

    /// <summary>Makes one call. Blocks its thread while the pool's queue is full.</summary>
    /// <remarks>
    /// For a thread of your own. On threads of the thread pool (in <see cref="Parallel"/>, in a task) use <see cref="AddAsync"/>: each blocked one is missing
    /// where answers and starting workers are waited for.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The batch is full or was completed. No call is made.</exception>
    public void Add(string entryPoint, CallArguments? arguments = null) => AddAsync(entryPoint, arguments).GetAwaiter().GetResult();

    /// <summary>Makes one call.</summary>
    /// <param name="entryPoint">The entry point to call.</param>
    /// <param name="arguments">Its arguments; null is none.</param>
    /// <param name="cancellationToken">Ends the waiting for room in the pool's queue, not the call.</param>
    /// <returns>Ends when there is room for further calls in the pool's queue.</returns>
    /// <exception cref="InvalidOperationException">The batch is full or was completed. No call is made.</exception>
    public Task AddAsync(string entryPoint, CallArguments? arguments = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entryPoint);
        return _calls.Add(entryPoint, arguments ?? CallArguments.None).WaitAsync(cancellationToken);
    }

    /// <summary>Declares that no more calls will be added, so that a batch with fewer calls than <see cref="Size"/> can be waited for.</summary>
    public void Complete() => _calls.Complete();

    /// <summary>Waits for all calls. May be called many times, by many threads.</summary>
    /// <param name="timeout">How long to wait at most; null is for ever.</param>
    /// <returns>The outcomes in the order of adding.</returns>
    /// <exception cref="InvalidOperationException">The batch is neither full nor completed: it would wait for calls that nobody makes.</exception>
    /// <exception cref="TimeoutException">Time is up. The calls go on.</exception>
    public IReadOnlyList<CallOutcome<T>> Wait(TimeSpan? timeout = null) =>
        WaitAsync().WaitAsync(timeout ?? Timeout.InfiniteTimeSpan, Time).GetAwaiter().GetResult();

    /// <summary>Waits for all calls. May be called many times, by many callers.</summary>
    /// <param name="cancellationToken">Ends the waiting, not the calls.</param>
    /// <returns>The outcomes in the order of adding.</returns>
    /// <exception cref="InvalidOperationException">The batch is neither full nor completed: it would wait for calls that nobody makes.</exception>
    public async Task<IReadOnlyList<CallOutcome<T>>> WaitAsync(CancellationToken cancellationToken = default) =>
        await _calls.EndAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
}
