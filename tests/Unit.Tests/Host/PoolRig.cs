using ProcessPool.Scheduling;
using ProcessPool.Supervision;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>A supervisor over fake workers and fake time.</summary>
internal sealed class PoolRig
{
    private readonly Func<int, FakeWorker?> _workerFor;

    /// <param name="workerFor">The nth worker that is started, from 1; null when that start fails. By default workers that answer every call.</param>
    /// <param name="change">Further options.</param>
    public PoolRig(Func<int, FakeWorker?>? workerFor = null, Action<SandboxPoolOptions>? change = null)
    {
        _workerFor = workerFor ?? (_ => Answering());
        Launcher = new FakeLauncher(Start);
        Pool = new Supervisor("p", Some.Settings(options =>
        {
            options.TimeProvider = Time;
            options.Logger = Log;
            change?.Invoke(options);
        }), Launcher);
    }

    public WatchedTime Time { get; } = new();

    public RecordingLogger Log { get; } = new();

    public FakeLauncher Launcher { get; }

    public Supervisor Pool { get; }

    public static FakeWorker Answering() => new("w") { OnInvoke = (_, _) => Task.FromResult(Some.Reply) };

    public async Task<PoolRig> StartedAsync()
    {
        await Pool.StartAsync(CancellationToken.None).Within("the pool starts");
        return this;
    }

    /// <summary>Queues a call.</summary>
    public async Task<Invocation> PutAsync(Invocation? call = null)
    {
        call ??= Some.Call();
        await Pool.Queue.PutAsync(call);
        return call;
    }

    /// <summary>Queues so many calls.</summary>
    public async Task<List<Invocation>> PutAsync(int count)
    {
        var calls = new List<Invocation>();
        for (var i = 0; i < count; i++)
        {
            calls.Add(await PutAsync());
        }

        return calls;
    }

    /// <summary>Makes a call that is to be answered.</summary>
    public async Task ServeAsync(string what) => await (await PutAsync()).Settled.Within(what);

    /// <summary>Makes a call that a worker, which did something else before, is to answer.</summary>
    public async Task ServeOnAsync(FakeWorker worker, string what)
    {
        worker.OnInvoke = (_, _) => Task.FromResult(Some.Reply);
        await ServeAsync(what);
    }

    public Task<StopReport> StopAsync() => Pool.StopAsync(drain: false, null, CancellationToken.None).Within("the pool stops");

    private Task<IWorker> Start(int number) =>
        _workerFor(number) is { } worker ? Task.FromResult<IWorker>(worker) : Task.FromException<IWorker>(new WorkerStartException($"no {number}", new FaultSite("p")));
}
