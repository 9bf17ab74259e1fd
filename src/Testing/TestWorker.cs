using System.Reflection;
using ProcessPool.Binding;
using ProcessPool.Calls;
using ProcessPool.Launch;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Scheduling;
using ProcessPool.Workers;

namespace ProcessPool.Testing;

using Reply = (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error);
using HostCall = Func<string, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], CancellationToken, Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)>>;

/// <summary>A worker without a process: it runs the test's code as a sandbox runs a plugin's. Code that does not end when its worker is killed goes on.</summary>
internal sealed class TestWorker : IWorker
{
    private static readonly CallReply Skipped = new(CallStatus.Skipped, default, [], null);

    private readonly PoolSettings _settings;
    private readonly Script _script;
    private readonly Func<string, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], HostCall, CancellationToken, Task<(Reply First, IAsyncEnumerator<Reply>? Stream)>> _call;
    private readonly TaskCompletionSource<WorkerExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _startedAt;
    // Over the marks and over what has not begun.
    private readonly Lock _gate = new();
    private RecorderMark _mark = new(0, 0, 0);
    private IAsyncEnumerator<Reply>? _stream;
    private CancellationTokenSource _running = new();
    private HashSet<long> _waiting = [];
    private long _callsServed;

    public TestWorker(string name, PoolSettings settings, IReadOnlyList<(string Name, MethodInfo Method, object? Instance)> code, Script script)
    {
        Name = name;
        (_settings, _script) = (settings, script);
        _call = PluginBinder.BindMethods(code);
        _startedAt = settings.Time.GetTimestamp();
    }

    public string Name { get; }

    public int? ProcessId => null;

    public Task<WorkerExit> Exited => _exited.Task;

    public bool HasExited => Exited.IsCompleted;

    public ConfinementReport? Confinement => null;

    public long? PeakMemory => null;

    public long CallsServed => Interlocked.Read(ref _callsServed);

    public Task<CallReply> InvokeAsync(CallRequest request, Callbacks? callbacks, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _waiting = [request.Id];
        }

        return RunAsync(request, callbacks, cancellationToken);
    }

    public async Task InvokeManyAsync(Chunk calls, Action<int, CallReply> reply, PlainReply plain)
    {
        lock (_gate)
        {
            _waiting = [.. Enumerable.Range(0, calls.Count).Select(calls.IdOf)];
        }

        var message = calls.ToMessage();
        for (var i = 0; i < calls.Count; i++)
        {
            var each = await RunAsync(message.RequestOf(i), callbacks: null, CancellationToken.None).ConfigureAwait(false);
            if (each.Status != CallStatus.Succeeded || each.Attachments.Length > 0 || !plain(i, each.Payload.Span))
            {
                reply(i, each);
            }

            calls.Received();
        }
    }

    public Task<CallReply> NextAsync(long callId, CancellationToken cancellationToken) => UntilExitAsync(async () =>
    {
        await _stream!.MoveNextAsync().ConfigureAwait(false);
        return Finish(callId, _stream.Current);
    });

    public async Task EndAsync(long callId)
    {
        await _running.CancelAsync().ConfigureAwait(false);
        await UntilExitAsync(async () =>
        {
            if (_stream is { } stream)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            return Finish(callId, (0, default, [], null));
        }).ConfigureAwait(false);
    }

    public void Cancel(long callId)
    {
        CancellationTokenSource? running;
        lock (_gate)
        {
            running = _mark.StartedCall == callId ? _running : null;
        }

        // The test's code may listen to the token, and does so on a thread of its own.
        _ = running?.CancelAsync();
    }

    public Task<IReadOnlyList<long>> RevokeAsync(IReadOnlyList<long> callIds)
    {
        lock (_gate)
        {
            return Task.FromResult<IReadOnlyList<long>>([.. callIds.Where(_waiting.Remove)]);
        }
    }

    public Task WarmUpAsync() => Task.CompletedTask;

    public void Watch()
    {
    }

    public bool Spin(Task task, long untilTimestamp) => task.IsCompleted;

    public Task<LoadReport?> GetLoadReportAsync(CancellationToken cancellationToken) => Task.FromResult<LoadReport?>(null);

    public RecorderMark? ReadMark() => _mark;

    public ProcessUse? ReadUse() => null;

    public TimeSpan? ReadProcessorTime() => null;

    public long ReadScratch(long enough) => 0;

    public void Kill(CrashReason? reason = null) => Die(Deaths.Of(reason ?? CrashReason.KilledFromOutside, ""));

    public Task<bool> StopAsync(TimeSpan timeout)
    {
        Die(new WorkerExit(CrashReason.ExitCalled, 0, null, "", TimeSpan.Zero, 0));
        return Task.FromResult(false);
    }

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    private void Die(WorkerExit exit)
    {
        lock (_gate)
        {
            _exited.TrySetResult(exit with { Uptime = _settings.Time.GetElapsedTime(_startedAt), CallsServed = CallsServed, Mark = _mark });
        }
    }

    private Task<CallReply> RunAsync(CallRequest request, Callbacks? callbacks, CancellationToken cancellationToken) => UntilExitAsync(async () =>
    {
        // The thread is the caller's, or the pool's own; the test's code may take long.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (Begin(request.Id) is not { } running)
        {
            return Skipped;
        }

        using var asked = cancellationToken.UnsafeRegister(_ => _ = running.CancelAsync(), null);
        if (_script.NextCall(request.EntryPoint) is { IsFault: true, Death: var death })
        {
            if (death is not null)
            {
                Die(death);
            }

            // Whoever waits for this call sees the worker's end; the call's code never runs.
            await Exited.ConfigureAwait(false);
            return Skipped;
        }

        var (first, stream) = await _call(request.EntryPoint, request.Payload, request.Attachments, HostCallOf(request.Id, callbacks), running.Token).ConfigureAwait(false);
        _stream = stream;
        return Finish(request.Id, first);
    });

    // At once: a call that was revoked, or whose worker's death says that it had not begun, is run by somebody else.
    private CancellationTokenSource? Begin(long callId)
    {
        lock (_gate)
        {
            if (HasExited || !_waiting.Remove(callId))
            {
                return null;
            }

            _mark = _mark with { StartedCall = callId, StartedAt = _settings.Time.GetTimestamp() };
            return _running = new CancellationTokenSource();
        }
    }

    private async Task<CallReply> UntilExitAsync(Func<Task<CallReply>> work)
    {
        var reply = work();
        await Task.WhenAny(reply, Exited).ConfigureAwait(false);
        return reply.IsCompleted && !Exited.IsCompleted ? await reply.ConfigureAwait(false) : throw new WorkerLostException(await Exited.ConfigureAwait(false));
    }

    private CallReply Finish(long callId, Reply reply)
    {
        var (status, payload, attachments, error) = reply;
        if (status != (int)CallStatus.Streaming)
        {
            _stream = null;
            _callsServed++;
            _mark = _mark with { FinishedCall = callId };
        }

        var bytes = WireLimits.SizeOf(payload, attachments);
        return bytes > _settings.MaxMessageBytes - WireLimits.EnvelopeBytes
            ? CallReply.TooLarge(bytes, _settings.MaxMessageBytes)
            : new CallReply((CallStatus)status, payload, attachments, error is null ? null : ErrorMapper.Map(error));
    }

    private static HostCall HostCallOf(long callId, Callbacks? callbacks) => async (target, payload, attachments, cancellationToken) =>
    {
        var reply = callbacks is null
            ? Callbacks.Refused("The call may ask for nothing.")
            : await callbacks.AnswerAsync(new CallbackRequest(callId, target, payload, attachments), cancellationToken).ConfigureAwait(false);
        return reply.Error is { } error ? throw new HostServiceException(error.Type, error.Message) : (reply.Payload, reply.Attachments, reply.Status == CallStatus.Streaming);
    };
}
