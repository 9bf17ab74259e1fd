using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using ProcessPool.Calls;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Telemetry;

namespace ProcessPool;

/// <content>The ways of calling by name. All of them lead to the one in SandboxPool.Dispatch.cs.</content>
public sealed partial class SandboxPool
{
    /// <summary>Makes a call and blocks until its result is there. For parallel work call from several threads, or use the other ways.</summary>
    /// <inheritdoc cref="InvokeAsync{T}(string,CallArguments?,CancellationToken)"/>
    public T Invoke<T>(string entryPoint, CallArguments? arguments = null, CancellationToken cancellationToken = default) =>
        InvokeAsync<T>(entryPoint, arguments, null, cancellationToken).GetAwaiter().GetResult();

    /// <summary>Makes a call and returns its result.</summary>
    /// <typeparam name="T">The type to read the result as, by System.Text.Json.</typeparam>
    /// <param name="entryPoint">The entry point's name, case-sensitive; <c>IContract.Method</c> for a contract method.</param>
    /// <param name="arguments">The arguments, such as <c>[7]</c>; none when left out.</param>
    /// <param name="cancellationToken">
    /// Takes the call out of the queue. When it is executing already, cancels the entry point's own token and waits for it to end; one that takes no
    /// token is given up at once. Either way the worker is killed and replaced if the call has not ended after <see cref="SandboxPoolOptions.CancelGrace"/>.
    /// </param>
    /// <exception cref="PluginCallException">The plugin's code threw.</exception>
    /// <exception cref="CallArgumentException">No such entry point, or arguments or result do not fit.</exception>
    /// <exception cref="WorkerCrashedException">The worker died while it executed this call.</exception>
    /// <exception cref="CallTimeoutException">The call waited longer than <see cref="SandboxPoolOptions.QueueTimeout"/> or executed longer than its timeout.</exception>
    /// <exception cref="CallRejectedException">The pool is not running, is broken, or stopped before the call was finished; or its queue is full.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<T> InvokeAsync<T>(string entryPoint, CallArguments? arguments = null, CancellationToken cancellationToken = default) =>
        InvokeAsync<T>(entryPoint, arguments, null, cancellationToken);

    /// <param name="entryPoint">The entry point's name.</param>
    /// <param name="arguments">The arguments, or null for none.</param>
    /// <param name="options">What this call has different from the pool's options: its priority, its timeout.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ArgumentException">The options are out of range.</exception>
    /// <inheritdoc cref="InvokeAsync{T}(string,CallArguments?,CancellationToken)"/>
    public Task<T> InvokeAsync<T>(string entryPoint, CallArguments? arguments, CallOptions? options, CancellationToken cancellationToken = default) =>
        InvokeAsync<T>(entryPoint, arguments, options, lease: null, cancellationToken);

    /// <summary>Makes a call and waits for its end; a result is ignored.</summary>
    /// <inheritdoc cref="InvokeAsync{T}(string,CallArguments?,CancellationToken)"/>
    public Task InvokeAsync(string entryPoint, CallArguments? arguments = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(entryPoint, arguments, null, cancellationToken);

    /// <summary>Makes a call and waits for its end; a result is ignored.</summary>
    /// <inheritdoc cref="InvokeAsync{T}(string,CallArguments?,CallOptions?,CancellationToken)"/>
    public Task InvokeAsync(string entryPoint, CallArguments? arguments, CallOptions? options, CancellationToken cancellationToken = default) =>
        InvokeAsync(entryPoint, arguments, options, lease: null, cancellationToken);

    /// <summary>
    /// Makes a call and reports its end to a callback on the thread pool. Blocks only while the queue is full. What a callback throws is logged
    /// and harms nothing; a callback may make further calls and may stop the pool.
    /// </summary>
    /// <typeparam name="T">The type to read the result as.</typeparam>
    /// <param name="entryPoint">The entry point's name.</param>
    /// <param name="arguments">The arguments, such as <c>[7]</c>.</param>
    /// <param name="onResult">Receives the result.</param>
    /// <param name="onError">Receives the error that <see cref="InvokeAsync{T}(string,CallArguments?,CancellationToken)"/> would throw; without it the error is logged. Exactly one of the two is called, once.</param>
    /// <param name="options">What this call has different from the pool's options.</param>
    /// <param name="cancellationToken">Cancels the call, as in <see cref="InvokeAsync{T}(string,CallArguments?,CancellationToken)"/>.</param>
    public void Post<T>(
        string entryPoint, CallArguments arguments, Action<T> onResult, Action<Exception>? onError = null, CallOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entryPoint);
        ArgumentNullException.ThrowIfNull(onResult);
        var queued = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = ReportAsync();
        queued.Task.GetAwaiter().GetResult();

        async Task ReportAsync()
        {
            var outcome = await OutcomeAsync<T>(0, entryPoint, arguments, options, queued, cancellationToken).ConfigureAwait(false);
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            try
            {
                if (outcome.Error is null)
                {
                    onResult(outcome.Value);
                }
                else if (onError is not null)
                {
                    onError(outcome.Error);
                }
                else
                {
                    _settings.Logger.PostFailed(outcome.Error, entryPoint);
                }
            }
            catch (Exception exception)
            {
                _settings.Logger.CallbackThrew(exception, entryPoint);
            }
        }
    }

    /// <summary>Creates a batch: make its calls one by one with <see cref="CallBatch{T}.Add"/>, then wait for them together.</summary>
    /// <typeparam name="T">The type to read the results as.</typeparam>
    /// <param name="size">How many calls the batch will hold, at least 0.</param>
    /// <param name="options">What its calls have different from the pool's options.</param>
    public CallBatch<T> CreateBatch<T>(int size, CallOptions? options = null) => new(this, _settings, size, options);

    /// <summary>Calls an entry point for each item of a sequence of any length, in bounded memory.</summary>
    /// <typeparam name="TItem">An argument; or <see cref="CallArguments"/> for several of them.</typeparam>
    /// <typeparam name="TResult">The type to read the results as.</typeparam>
    /// <param name="entryPoint">The entry point's name.</param>
    /// <param name="items">
    /// The input. It is read only as fast as outcomes are consumed: at most <see cref="SandboxPoolOptions.QueueCapacity"/> and as many items as there are workers ahead of them; while calls are so
    /// short that they go together, at most 512 × (2 × workers + 1). Its calls wait for room in the queue and for a worker, whatever <see cref="SandboxPoolOptions.WhenFull"/> and <see cref="SandboxPoolOptions.QueueTimeout"/> say; other calls wait behind them, unless the map has
    /// <see cref="CallPriority.Low"/>.
    /// </param>
    /// <param name="ordered">Whether outcomes come in input order; otherwise as completed, told apart by <see cref="CallOutcome{T}.Index"/>.</param>
    /// <param name="options">What these calls have different from the pool's options.</param>
    /// <param name="cancellationToken">Ends the reading and cancels the calls under way.</param>
    /// <returns>One outcome for each item. A failed item does not end the sequence.</returns>
    /// <exception cref="CallRejectedException">The pool stopped or broke meanwhile; outcomes of what was read before have been delivered.</exception>
    public IAsyncEnumerable<CallOutcome<TResult>> MapAsync<TItem, TResult>(
        string entryPoint, IAsyncEnumerable<TItem> items, bool ordered = true, CallOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entryPoint);
        ArgumentNullException.ThrowIfNull(items);
        options?.Check();
        options = (options ?? CallOptions.Default) with { IsOfMap = true };
        return new MapPump(_settings.MapWindow, _settings.CancelGrace, _settings.Time).RunAsync<TItem, TResult>(
            RefusingAsync(items, CancellationToken.None),
            (index, arguments, token) => OutcomeAsync<TResult>(index, entryPoint, arguments, options, null, token),
            ordered,
            Bundler<TResult>.For(this, _settings, entryPoint, options),
            new ItemWriter<TItem>(_settings.Json, new CallPlace(Name, 0, entryPoint)),
            () => CallTrace.BeginMap(Name, entryPoint),
            cancellationToken);
    }

    /// <inheritdoc cref="MapAsync{TItem,TResult}(string,IAsyncEnumerable{TItem},bool,CallOptions?,CancellationToken)"/>
    public IAsyncEnumerable<CallOutcome<TResult>> MapAsync<TItem, TResult>(
        string entryPoint, IEnumerable<TItem> items, bool ordered = true, CallOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        return MapAsync<TItem, TResult>(entryPoint, items.ToAsyncEnumerable(), ordered, options, cancellationToken);
    }

    /// <summary>Makes a call whose result is a stream, and yields its items as they come: the plugin makes them only as fast as they are read.</summary>
    /// <typeparam name="T">The type to read the items as.</typeparam>
    /// <param name="entryPoint">The name of an entry point that returns <see cref="IAsyncEnumerable{T}"/>.</param>
    /// <param name="arguments">The arguments, such as <c>[7]</c>.</param>
    /// <param name="options">What this call has different from the pool's options. The timeout is for each step: until there are further items.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    /// <returns>
    /// The items. The call is made when they are first asked for, and occupies its worker until the last one was read or the enumerator is disposed. Each enumeration
    /// is a call of its own. It throws what <see cref="InvokeAsync{T}(string,CallArguments?,CancellationToken)"/> throws, after the items that came before.
    /// </returns>
    public IAsyncEnumerable<T> StreamAsync<T>(string entryPoint, CallArguments? arguments = null, CallOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entryPoint);
        options?.Check();
        return StreamAsync<T>(entryPoint, arguments, options, lease: null, cancellationToken);
    }

    /// <summary>Makes a call and returns its result with what it cost: time in the queue, run time, processor time, memory, the worker.</summary>
    /// <inheritdoc cref="InvokeAsync{T}(string,CallArguments?,CallOptions?,CancellationToken)"/>
    public async Task<CallResult<T>> MeasureAsync<T>(string entryPoint, CallArguments? arguments = null, CallOptions? options = null, CancellationToken cancellationToken = default)
    {
        var settled = await CallAsync(entryPoint, arguments, options, lease: null, queued: null, cancellationToken, measure: true).ConfigureAwait(false);
        var value = ResultReader.Read<T>(settled, _settings.Json);
        var usage = settled.Reply.Usage ?? new CallUsage(0, 0, 0);
        return new CallResult<T>(
            value, settled.Incarnation.Worker.Name, settled.Incarnation.Worker.ProcessId, settled.QueueTime, TimeSpan.FromTicks(usage.RunTime), TimeSpan.FromTicks(usage.CpuTime), usage.AllocatedBytes, settled.PeakMemory);
    }

    /// <summary>A call whose end is data. Never fails.</summary>
    internal async Task<CallOutcome<T>> OutcomeAsync<T>(
        long index, string entryPoint, CallArguments? arguments, CallOptions? options, TaskCompletionSource? queued, CancellationToken cancellationToken = default)
    {
        try
        {
            var settled = await CallAsync(entryPoint, arguments, options, lease: null, queued, cancellationToken).ConfigureAwait(false);
            return new CallOutcome<T>(index, ResultReader.Read<T>(settled, _settings.Json), null);
        }
        catch (Exception exception)
        {
            return new CallOutcome<T>(index, default!, exception);
        }
        finally
        {
            queued?.TrySetResult();
        }
    }

    // Once the pool is gone, every further item would fail alike, without end: stop reading instead.
    private async IAsyncEnumerable<TItem> RefusingAsync<TItem>(
        IAsyncEnumerable<TItem> items, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in items.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            yield return IsRunning ? item : State switch
            {
                PoolState.Stopping or PoolState.Stopped => throw new CallRejectedException(RejectionReason.Stopped, new FaultSite(Name)),
                PoolState.Broken => throw CallRejectedException.Broken($" {LastWorkerError?.Message}", new FaultSite(Name), LastWorkerError),
                PoolState.Created => throw new CallRejectedException(RejectionReason.NotStarted, new FaultSite(Name)),
                _ => item,
            };
        }
    }
}
