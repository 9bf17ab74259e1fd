using System.Collections.Concurrent;
using ProcessPool.Protocol;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>A pool that goes from one version of its plugin to the next.</summary>
public sealed class SwitchTests : IAsyncDisposable
{
    private readonly string _one = PluginSource.Members("[EntryPoint] public static int Do() => 1; [EntryPoint] public static IAsyncEnumerable<int> Items() => null;", "One");
    private readonly string _two = PluginSource.Members("[EntryPoint] public static int Do() => 2; [EntryPoint] public static IAsyncEnumerable<int> Items() => null; public class V2 { }", "Two");
    private readonly ConcurrentQueue<FakeWorker> _workers = new();
    private readonly SandboxPool _pool;
    private Func<string, Task<CallReply>> _answer = version => Task.FromResult(Value(version));
    private Action<CallRequest> _onCall = _ => { };
    private Exception? _startFault;

    public SwitchTests()
    {
        var options = new SandboxPoolOptions { Plugin = _one, Name = "p", Workers = 1 };
        _pool = new SandboxPool(options, (_, _, plugin) => new FakeLauncher(_ => _startFault is null ? StartAsync(plugin.Name) : Task.FromException<ProcessPool.Workers.IWorker>(_startFault)));
    }

    public async ValueTask DisposeAsync() => await _pool.DisposeAsync().AsTask().Within("the pool stops");

    [Fact]
    public async Task No_call_fails_while_versions_change_under_many_callers()
    {
        await _pool.StartAsync();
        var done = false;
        var callers = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref done))
            {
                Assert.Contains(await _pool.InvokeAsync<string>("Do"), new[] { "One", "Two" });
            }
        })).ToList();
        for (var i = 0; i < 50; i++)
        {
            await (await _pool.SwitchAsync(i % 2 == 0 ? _two : _one, default).Within("the switch")).Within("the old version ends");
        }

        Volatile.Write(ref done, true);
        await Task.WhenAll(callers).Within("every call is answered");
        Assert.Equal(50, _workers.Count(worker => worker.Stopped));
    }

    [Fact]
    public async Task What_a_pool_counts_it_counts_over_its_versions()
    {
        await _pool.StartAsync();
        await _pool.InvokeAsync<string>("Do").Within("the old version answers");
        await (await _pool.SwitchAsync(_two, default).Within("the switch")).Within("the old version ends");
        await _pool.InvokeAsync<string>("Do").Within("the new version answers");
        Assert.Equal((2, "shutdown=1"), (_pool.Counts.Ended, _pool.Counts.Exits.ToString()));
    }

    [Fact]
    public async Task A_call_that_was_begun_and_one_that_was_queued_end_on_the_old_version()
    {
        var go = new TaskCompletionSource();
        _answer = async version =>
        {
            await (version == "One" ? go.Task : Task.CompletedTask);
            return Value(version);
        };
        await _pool.StartAsync();
        var begun = _pool.InvokeAsync<string>("Do");
        var queued = _pool.InvokeAsync<string>("Do");
        var gone = await _pool.SwitchAsync(_two, default).Within("the switch");
        Assert.Equal("Two", await _pool.InvokeAsync<string>("Do").Within("the new version answers"));
        Assert.False(gone.IsCompleted);
        go.SetResult();
        Assert.Equal(["One", "One"], await Task.WhenAll(begun, queued).Within("the old one finishes"));
        await gone.Within("the old one ends");
    }

    [Fact]
    public async Task A_stream_among_the_arguments_is_whole_on_the_version_that_takes_the_call()
    {
        var sizes = new ConcurrentQueue<int>();
        _onCall = request => sizes.Enqueue(request.Attachments.Sum(attachment => attachment.Length));
        await _pool.StartAsync();
        var done = false;
        var callers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref done))
            {
                await _pool.InvokeAsync<string>("Do", [new MemoryStream(new byte[7])]);
            }
        })).ToList();
        for (var i = 0; i < 50; i++)
        {
            await _pool.SwitchAsync(i % 2 == 0 ? _two : _one, default).Within("the switch");
        }

        Volatile.Write(ref done, true);
        await Task.WhenAll(callers).Within("every call is answered");
        Assert.All(sizes, size => Assert.Equal(7, size));
    }

    [Fact]
    public async Task A_lease_stays_on_its_version_and_holds_it()
    {
        await _pool.StartAsync();
        var lease = await _pool.LeaseAsync();
        var gone = await _pool.SwitchAsync(_two, default).Within("the switch");
        Assert.Equal("One", await lease.InvokeAsync<string>("Do").Within("the leased worker answers"));
        Assert.False(gone.IsCompleted);
        await lease.DisposeAsync();
        await gone.Within("the old version ends");
    }

    [Fact]
    public async Task A_version_that_does_not_start_leaves_the_one_before_serving()
    {
        await _pool.StartAsync();
        _startFault = new WorkerStartException("no", new FaultSite("p"));
        await Assert.ThrowsAsync<WorkerStartException>(() => _pool.SwitchAsync(_two, default).Within("the switch fails"));
        Assert.Equal(PoolState.Running, _pool.State);
        Assert.Equal("One", await _pool.InvokeAsync<string>("Do"));
        Assert.Equal("One", _pool.Plugin!.Name);
    }

    [Fact]
    public async Task A_stop_ends_a_version_that_would_drain_for_ever()
    {
        _answer = version => version == "One" ? new TaskCompletionSource<CallReply>().Task : Task.FromResult(Value(version));
        await _pool.StartAsync();
        var endless = _pool.InvokeAsync<string>("Do");
        await _pool.SwitchAsync(_two, default);
        var report = await _pool.StopAsync(drain: false).Within("the stop ends");
        Assert.Equal(1, report.Cancelled);
        Assert.Equal(RejectionReason.Stopped, (await Assert.ThrowsAsync<CallRejectedException>(() => endless)).Reason);
    }

    [Fact]
    public async Task A_retired_pool_takes_no_calls_until_the_next_version()
    {
        await _pool.StartAsync();
        await (await _pool.RetireAsync(default)).Within("the workers end");
        Assert.Equal(PoolState.Stopped, _pool.State);
        Assert.Equal(RejectionReason.Stopped, (await Assert.ThrowsAsync<CallRejectedException>(() => _pool.InvokeAsync<string>("Do"))).Reason);
        Assert.Equal(RejectionReason.Stopped, (await Assert.ThrowsAsync<CallRejectedException>(() => _pool.LeaseAsync())).Reason);
        await _pool.SwitchAsync(_two, default).Within("the switch");
        Assert.Equal("Two", await _pool.InvokeAsync<string>("Do"));
    }

    private static CallReply Value(string text) => new(CallStatus.Succeeded, System.Text.Encoding.UTF8.GetBytes($"\"{text}\""), [], null);

    private Task<ProcessPool.Workers.IWorker> StartAsync(string version)
    {
        var worker = new FakeWorker(version) { OnInvoke = (request, _) =>
        {
            _onCall(request);
            return _answer(version);
        } };
        _workers.Enqueue(worker);
        return Task.FromResult<ProcessPool.Workers.IWorker>(worker);
    }
}
