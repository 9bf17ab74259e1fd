using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Supervision;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

internal static class Some
{
    private static long _lastId;

    public static Invocation Call(string entryPoint = "Do", bool acceptsCancellation = false, CancellationToken token = default) =>
        new(new CallRequest(++_lastId, entryPoint, "[]"u8.ToArray(), []), acceptsCancellation, token);

    public static CallReply Reply { get; } = new(CallStatus.Succeeded, "1"u8.ToArray(), [], null);

    public static PoolSettings Settings(Action<SandboxPoolOptions>? change = null)
    {
        var options = new SandboxPoolOptions { Plugin = "plugin", Workers = 1, AllowOversubscription = true };
        change?.Invoke(options);
        return PoolSettings.From(options);
    }

    public static WorkerExit Exit(CrashReason reason = CrashReason.Crashed) => new(reason, 139, "SIGSEGV", "", TimeSpan.Zero, 0);
}

/// <summary>A worker that does what the test tells it.</summary>
internal sealed class FakeWorker(string name) : IWorker
{
    private readonly TaskCompletionSource<WorkerExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What a call does. By default it never ends unless the worker does.</summary>
    public Func<CallRequest, CancellationToken, Task<CallReply>>? OnInvoke { get; set; }

    public bool Killed { get; private set; }

    public string Name => name;

    public int? ProcessId => 1;

    public Task<WorkerExit> Exited => _exited.Task;

    public bool HasExited => _exited.Task.IsCompleted;

    public async Task<CallReply> InvokeAsync(CallRequest request, CancellationToken cancellationToken)
    {
        var call = OnInvoke?.Invoke(request, cancellationToken) ?? new TaskCompletionSource<CallReply>().Task;
        await Task.WhenAny(call, Exited);
        return call.IsCompleted ? await call : throw new WorkerLostException(await Exited);
    }

    public void Die(WorkerExit exit) => _exited.TrySetResult(exit);

    public void Kill()
    {
        Killed = true;
        Die(Some.Exit(CrashReason.KilledFromOutside));
    }

    public Task StopAsync(TimeSpan timeout)
    {
        Die(Some.Exit(CrashReason.ExitCalled));
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        Die(Some.Exit(CrashReason.ExitCalled));
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

    public Task<IWorker> StartAsync(int slot, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _count);
        _starts.Writer.TryWrite(number);
        return start(number);
    }
}
