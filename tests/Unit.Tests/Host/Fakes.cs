using Nerdbank.Streams;
using ProcessPool.Calls;
using ProcessPool.Launch;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Scheduling;
using ProcessPool.Supervision;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

internal static class Some
{
    private static long _lastId;

    public static Invocation Call(
        string entryPoint = "Do", bool acceptsCancellation = false, CallPriority priority = CallPriority.Normal, TimeSpan? timeout = null, bool streams = false, int retries = 0,
        string? affinityKey = null, TraceParent? trace = null, CancellationToken token = default) =>
        new(
            new CallRequest(Interlocked.Increment(ref _lastId), entryPoint, "[]"u8.ToArray(), []) { Trace = trace },
            new CallTraits(acceptsCancellation, streams, retries),
            new CallOptions { Priority = priority, Timeout = timeout, AffinityKey = affinityKey },
            callbacks: null,
            token);

    public static CallReply Reply { get; } = new(CallStatus.Succeeded, "1"u8.ToArray(), [], null);

    public static PoolSettings Settings(Action<SandboxPoolOptions>? change = null)
    {
        var options = new SandboxPoolOptions { Plugin = "plugin", Workers = 1, AllowOversubscription = true };
        change?.Invoke(options);
        return PoolSettings.From(options);
    }

    public static CallReply Error(string type) => new(CallStatus.PluginThrew, default, [], new RemoteError("", "", "", new RemoteError(type, "", "", null)));

    public static WorkerExit Exit(CrashReason reason = CrashReason.Crashed, RecorderMark? mark = null) => new(reason, 139, "SIGSEGV", "", TimeSpan.Zero, 0, mark);

    public static WorkerExit CleanExit { get; } = new(CrashReason.ExitCalled, 0, null, "", TimeSpan.Zero, 0);
}

/// <summary>A worker that does what the test tells it.</summary>
internal sealed class FakeWorker(string name) : IWorker
{
    private readonly HashSet<long> _revoked = [];
    private readonly TaskCompletionSource<WorkerExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What a call does. By default it never ends unless the worker does.</summary>
    public Func<CallRequest, CancellationToken, Task<CallReply>>? OnInvoke { get; set; }

    public bool Killed { get; private set; }

    public string Name => name;

    public int? ProcessId => 1;

    public ConfinementReport? Confinement => null;

    public Task<WorkerExit> Exited => _exited.Task;

    public bool HasExited => _exited.Task.IsCompleted;

    /// <summary>What the next items of a stream are. By default it never ends unless the worker does.</summary>
    public Func<CancellationToken, Task<CallReply>>? OnNext { get; set; }

    public bool Ended { get; private set; }

    public long? PeakMemory => Memory;

    /// <summary>How many calls came together, each time that they did.</summary>
    public List<int> Chunks { get; } = [];

    public List<long> CancelledCalls { get; } = [];

    /// <summary>Which calls it gives back when it is asked to. By default those that it has not begun.</summary>
    public Func<IReadOnlyList<long>, IReadOnlyList<long>>? OnRevoke { get; set; }

    public Task<IReadOnlyList<long>> RevokeAsync(IReadOnlyList<long> callIds)
    {
        var revoked = OnRevoke?.Invoke(callIds) ?? callIds;
        _revoked.UnionWith(revoked);
        return Task.FromResult(revoked);
    }

    public async Task InvokeManyAsync(Chunk calls, Action<int, CallReply> reply, PlainReply plain)
    {
        Chunks.Add(calls.Count);
        var message = calls.ToMessage();
        for (var i = 0; i < calls.Count; i++)
        {
            if (_revoked.Contains(calls.IdOf(i)))
            {
                reply(i, new CallReply(CallStatus.Skipped, default, [], null));
                continue;
            }

            var answer = await AnswerAsync(OnInvoke?.Invoke(message.RequestOf(i), CancellationToken.None) ?? new TaskCompletionSource<CallReply>().Task);
            if (answer.Status != CallStatus.Succeeded || !plain(i, answer.Payload.Span))
            {
                reply(i, answer);
            }

            calls.Received();
        }
    }

    /// <summary>Ends when a call is asked to end.</summary>
    public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Cancel(long callId)
    {
        CancelledCalls.Add(callId);
        Asked.TrySetResult();
    }

    public Task WarmUpAsync() => Task.CompletedTask;

    public void Watch()
    {
    }

    public bool Spin(Task task, long untilTimestamp) => task.IsCompleted;

    public Task EndAsync(long callId)
    {
        Ended = true;
        return Task.CompletedTask;
    }

    public Task<CallReply> NextAsync(long callId, CancellationToken cancellationToken) =>
        AnswerAsync(OnNext?.Invoke(cancellationToken) ?? new TaskCompletionSource<CallReply>().Task);

    public Task<CallReply> InvokeAsync(CallRequest request, Callbacks? callbacks, CancellationToken cancellationToken) =>
        AnswerAsync(OnInvoke?.Invoke(request, cancellationToken) ?? new TaskCompletionSource<CallReply>().Task);

    private async Task<CallReply> AnswerAsync(Task<CallReply> call)
    {
        await Task.WhenAny(call, Exited);
        return call.IsCompleted ? await call : throw new WorkerLostException(await Exited);
    }

    public void Die(WorkerExit exit) => _exited.TrySetResult(exit);

    public RecorderMark? Mark { get; set; }

    public long? Memory { get; set; }

    /// <summary>What is still to come when it is killed.</summary>
    public Action? OnKill { get; set; }

    public bool Stopped { get; private set; }

    public Task<LoadReport?> GetLoadReportAsync(CancellationToken cancellationToken) => Task.FromResult<LoadReport?>(null);

    /// <summary>How often somebody looked what it has begun.</summary>
    public int Looks { get; private set; }

    public RecorderMark? ReadMark()
    {
        Looks++;
        return Mark;
    }

    public int? Threads { get; set; }

    public long Scratch { get; set; }

    /// <summary>What a look at what it uses does. By default it sees <see cref="Memory"/> and <see cref="Threads"/>.</summary>
    public Func<ProcessUse?>? OnReadUse { get; set; }

    /// <summary>What a look at its scratch folder does. By default it sees <see cref="Scratch"/>.</summary>
    public Func<long>? OnReadScratch { get; set; }

    public ProcessUse? ReadUse() => OnReadUse is not null ? OnReadUse() : Memory is null && Threads is null ? null : new ProcessUse(Memory ?? 0, Memory ?? 0, Threads ?? 0);

    public TimeSpan? ReadProcessorTime() => null;

    public long CallsServed => 0;

    public long ReadScratch(long enough) => OnReadScratch?.Invoke() ?? Scratch;

    public void Kill(CrashReason? reason = null)
    {
        Killed = true;
        OnKill?.Invoke();
        Die(Some.Exit(reason ?? CrashReason.KilledFromOutside, Mark));
    }

    public Task<bool> StopAsync(TimeSpan timeout)
    {
        Stopped = true;
        Die(Some.CleanExit);
        return Task.FromResult(false);
    }

    public ValueTask DisposeAsync()
    {
        Die(Some.CleanExit);
        return default;
    }
}

/// <summary>Hands out what the test prepared, and tells it of each start.</summary>
internal sealed class FakeLauncher(Func<int, Task<IWorker>> start) : IWorkerLauncher
{
    private readonly System.Threading.Channels.Channel<int> _starts = System.Threading.Channels.Channel.CreateUnbounded<int>();
    private int _count;

    /// <summary>Ends when the next start is asked for.</summary>
    public ValueTask<int> NextStartAsync() => _starts.Reader.ReadAsync();

    public Task<IWorker> StartAsync(int index, Action<IWorker> begins, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _count);
        var started = start(number);
        _starts.Writer.TryWrite(number);
        return started.WaitAsync(cancellationToken);
    }
}

/// <summary>Two stream pairs; it ends only when killed.</summary>
internal sealed class FakeSandbox : ISandbox
{
    public ConfinementReport Examine(string? proof) => new(ConfinementPolicy.None, [], IsProven: false);

    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeSandbox()
    {
        (Control, SandboxControl) = FullDuplexStream.CreatePair();
        (Calls, SandboxCalls) = FullDuplexStream.CreatePair();
    }

    public int? ProcessId => 1;

    public Stream Control { get; }

    public Stream Calls { get; }

    public RawPipe? CallsPipe => null;

    public Stream SandboxControl { get; }

    public Stream SandboxCalls { get; }

    public Task<int> Exited => _exited.Task;

    public bool HasExited => Exited.IsCompleted;

    public bool Killed { get; private set; }

    public OutputTail StandardError { get; } = new();

    public string ScratchDirectory => "";

    public byte[] Outbox { get; set; } = [];

    public Mailbox? Mailbox { get; init; }

    public int Emptied { get; private set; }

    public void EmptyMailbox() => Emptied++;

    public byte[] ReadOutbox() => Outbox;

    public RecorderMark? ReadMark() => null;

    public ProcessUse? ReadUse() => null;

    public TimeSpan? ReadProcessorTime() => null;

    public long ReadScratch(long enough) => 0;

    public void Kill()
    {
        Killed = true;
        SandboxControl.Dispose();
        SandboxCalls.Dispose();
        _exited.TrySetResult(137);
    }

    public ValueTask DisposeAsync()
    {
        Kill();
        return default;
    }
}
