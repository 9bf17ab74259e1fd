namespace ProcessPool;

/// <summary>A fixed number of calls, made one by one and waited for together. All members are thread-safe.</summary>
/// <typeparam name="T">The type of the results.</typeparam>
public sealed class CallBatch<T>
{
    private readonly SandboxPool _pool;
    private readonly CallOptions? _options;
    private readonly Task<CallOutcome<T>>?[] _calls;
    private readonly Lock _gate = new();
    private int _added;
    private bool _complete;

    internal CallBatch(SandboxPool pool, int size, CallOptions? options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        options?.Check();
        _options = options;
        _pool = pool;
        _calls = new Task<CallOutcome<T>>?[size];
        _complete = size == 0;
    }

    /// <summary>How many calls the batch holds when it is full.</summary>
    public int Size => _calls.Length;

    /// <summary>How many calls were added.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _added;
            }
        }
    }

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
    /// <returns>Ends when the pool's queue has taken the call.</returns>
    /// <exception cref="InvalidOperationException">The batch is full or was completed. No call is made.</exception>
    public Task AddAsync(string entryPoint, CallArguments? arguments = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entryPoint);
        var call = new TaskCompletionSource<Task<CallOutcome<T>>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var index = Reserve(call.Task.Unwrap());
        var queued = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        call.SetResult(_pool.OutcomeAsync<T>(index, entryPoint, arguments, _options, queued, CancellationToken.None));
        return queued.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Declares that no more calls will be added, so that a batch with fewer calls than <see cref="Size"/> can be waited for.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _complete = true;
        }
    }

    /// <summary>Waits for all calls. May be called many times, by many threads.</summary>
    /// <param name="timeout">How long to wait at most; null is for ever.</param>
    /// <returns>The outcomes in the order of adding.</returns>
    /// <exception cref="InvalidOperationException">The batch is neither full nor completed: it would wait for calls that nobody makes.</exception>
    /// <exception cref="TimeoutException">Time is up. The calls go on.</exception>
    public IReadOnlyList<CallOutcome<T>> Wait(TimeSpan? timeout = null) =>
        WaitAsync().WaitAsync(timeout ?? Timeout.InfiniteTimeSpan, _pool.Time).GetAwaiter().GetResult();

    /// <summary>Waits for all calls. May be called many times, by many callers.</summary>
    /// <param name="cancellationToken">Ends the waiting, not the calls.</param>
    /// <returns>The outcomes in the order of adding.</returns>
    /// <exception cref="InvalidOperationException">The batch is neither full nor completed: it would wait for calls that nobody makes.</exception>
    public async Task<IReadOnlyList<CallOutcome<T>>> WaitAsync(CancellationToken cancellationToken = default)
    {
        int count;
        lock (_gate)
        {
            count = _added;
            if (!_complete)
            {
                throw new InvalidOperationException(
                    $"The batch holds {count} of {Size} calls. Add the rest, or call Complete() to wait for these.");
            }
        }

        return await Task.WhenAll(_calls.Take(count).Select(call => call!)).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    // The place and what is in it become visible together: whoever waits for a full batch finds every call.
    private int Reserve(Task<CallOutcome<T>> call)
    {
        lock (_gate)
        {
            if (_complete)
            {
                throw new InvalidOperationException($"The batch is {(_added == Size ? "full" : "complete")}: it holds {_added} of {Size} calls.");
            }

            var index = _added++;
            _calls[index] = call;
            _complete = _added == Size;
            return index;
        }
    }
}
