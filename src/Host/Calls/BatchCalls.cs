using System.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Telemetry;

namespace ProcessPool.Calls;

/// <summary>The calls of a batch; those that are short are made together. Thread-safe.</summary>
internal sealed class BatchCalls<T>
{
    private readonly SandboxPool _pool;
    private readonly PoolSettings _settings;
    private readonly CallOptions? _options;
    private readonly CallOutcome<T>[] _outcomes;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly BundleClock _clock;
    private readonly Lock _gate = new();
    private IDisposable? _ticking;

    // Of the entry point that was called last: calls of several in turn go by themselves.
    private Bundler<T>? _bundler;
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private readonly TraceParent? _trace = CallTrace.IsListenedTo ? TraceParent.Of(Activity.Current) : null;
    private Task _queued = Task.CompletedTask;
    private long _lastStarted = -1;
    private bool _isComplete;
    private int _added;
    private int _left;

    public BatchCalls(SandboxPool pool, PoolSettings settings, int size, CallOptions? options)
    {
        (_pool, _settings, _options) = (pool, settings, options);
        _outcomes = new CallOutcome<T>[size];
        _clock = new BundleClock(settings.Time);
        _left = size;
        if (size == 0)
        {
            Complete();
            _ended.SetResult();
        }
    }

    /// <summary>How many there will be.</summary>
    public int Size => _outcomes.Length;

    /// <summary>How many there are.</summary>
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

    /// <summary>Makes a call.</summary>
    /// <returns>Ends when there is room for further ones.</returns>
    public Task Add(string entryPoint, CallArguments arguments)
    {
        lock (_gate)
        {
            RefuseMore_NeedsLock();
        }

        // Writing them runs a user's code: not under the lock.
        var written = TryWrite(entryPoint, ref arguments);
        BundleOutcomes<T>? before;
        BundleOutcomes<T>? full;
        int index;
        bool isBundled;
        lock (_gate)
        {
            RefuseMore_NeedsLock();
            index = _added++;
            _isComplete = _added == Size;
            var canBundle = written is { CanGoTogether: true } && _bundler?.EntryPoint == entryPoint;
            before = canBundle ? null : Close_NeedsLock();
            isBundled = canBundle && TryBundle_NeedsLock(index, written!.Value.Json.Span);
            full = isBundled && (_isComplete || _bundler!.IsFull) ? Close_NeedsLock() : null;
            _bundler = _bundler?.EntryPoint == entryPoint ? _bundler : NewBundler(entryPoint);
        }

        Start(before);
        if (!isBundled)
        {
            return StartSingle(index, entryPoint, arguments);
        }

        Start(full);
        lock (_gate)
        {
            return _queued;
        }
    }

    /// <summary>There will be no more.</summary>
    public void Complete()
    {
        BundleOutcomes<T>? last;
        int missing;
        lock (_gate)
        {
            missing = _isComplete ? 0 : Size - _added;
            _isComplete = true;
            last = Close_NeedsLock();
        }

        Start(last);
        Ended(missing);
    }

    /// <summary>Waits for all.</summary>
    /// <returns>The outcomes in the order of adding.</returns>
    public async Task<IReadOnlyList<CallOutcome<T>>> EndAsync()
    {
        lock (_gate)
        {
            if (!_isComplete)
            {
                throw new InvalidOperationException($"The batch holds {_added} of {Size} calls. Add the rest, or call Complete() to wait for these.");
            }
        }

        await _ended.Task.ConfigureAwait(false);
        return _outcomes[.._added];
    }

    private Bundler<T>? NewBundler(string entryPoint)
    {
        var bundler = Bundler<T>.For(_pool, _settings, entryPoint, _options);
        bundler?.Trace = _trace;
        return bundler;
    }

    private void RefuseMore_NeedsLock()
    {
        if (_isComplete)
        {
            throw new InvalidOperationException($"The batch is {(_added == Size ? "full" : "complete")}: it holds {_added} of {Size} calls.");
        }
    }

    // Once: what they are made of may be used up. What cannot be written fails as a call of its own, with what is wrong with it.
    private CallPayload? TryWrite(string entryPoint, ref CallArguments arguments)
    {
        if (Volatile.Read(ref _bundler) is not { } bundler || bundler.EntryPoint != entryPoint || !(bundler.IsOpen || bundler.Size > 1))
        {
            return null;
        }

        try
        {
            var payload = arguments.ToPayload(new CallPlace(_pool.Name, 0, entryPoint), _settings.Json);
            arguments = CallArguments.Written(payload);
            return payload;
        }
        catch (Exception exception)
        {
            arguments = CallArguments.Unwritable(exception);
            return null;
        }
    }

    private bool TryBundle_NeedsLock(int index, ReadOnlySpan<byte> payload)
    {
        var wasOpen = _bundler!.IsOpen;
        if (!_bundler.TryAdd(index, payload))
        {
            return false;
        }

        if (!wasOpen)
        {
            _ticking ??= _clock.Start(CloseFromTimer);
            _clock.Opened_NeedsLock();
        }

        return true;
    }

    private BundleOutcomes<T>? Close_NeedsLock()
    {
        if (_isComplete)
        {
            _ticking?.Dispose();
        }

        return _bundler?.IsOpen == true ? _bundler.Close(CancellationToken.None) : null;
    }

    private void CloseFromTimer()
    {
        BundleOutcomes<T>? due;
        lock (_gate)
        {
            due = _clock.IsDue_NeedsLock(_bundler?.IsOpen == true) ? Close_NeedsLock() : null;
        }

        Start(due);
    }

    private void Start(BundleOutcomes<T>? bundle)
    {
        if (bundle is not null)
        {
            // Reading them runs a user's code: not on the thread that tells of them, and with what the batch's maker had around him.
            bundle.TellOf(told => ThreadPool.UnsafeQueueUserWorkItem(_ => Run(told), null));
            _ = bundle.RunAsync();
            lock (_gate)
            {
                // Of the one that was closed last: whoever is late does not put an older one in its place.
                (_queued, _lastStarted) = bundle.FirstIndex > _lastStarted ? (bundle.Queued, bundle.FirstIndex) : (_queued, _lastStarted);
            }
        }
    }

    private void Run(OutcomeSource<T> source)
    {
        if (_context is null)
        {
            Take(source);
        }
        else
        {
            ExecutionContext.Run(_context, _ => Take(source), null);
        }
    }

    private void Take(OutcomeSource<T> source)
    {
        var taken = 0;
        lock (source)
        {
            source.Looked();
            while (source.TryTake(inOrder: false, out var outcome))
            {
                _outcomes[outcome.Index] = outcome;
                taken++;
            }
        }

        Ended(taken);
    }

    private Task StartSingle(int index, string entryPoint, CallArguments arguments)
    {
        var queued = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = FollowAsync();
        return queued.Task;

        async Task FollowAsync()
        {
            _outcomes[index] = await _pool.OutcomeAsync<T>(index, entryPoint, arguments, _options, queued, CancellationToken.None).ConfigureAwait(false);
            Ended(1);
        }
    }

    private void Ended(int calls)
    {
        if (calls > 0 && Interlocked.Add(ref _left, -calls) == 0)
        {
            _ended.TrySetResult();
        }
    }
}
