using Microsoft.Extensions.Time.Testing;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Testing;
using ProcessPool.TestKit;
using ProcessPool.Unit.Tests.Host;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Testing;

/// <summary>A worker without a process keeps what the pool relies on.</summary>
public sealed class TestWorkerTests
{
    private readonly Chunk _chunk = new QueuedCalls([Some.Call(), Some.Call()]);
    private readonly Dictionary<int, CallReply> _replies = [];

    [Fact]
    public async Task What_is_revoked_does_not_run_and_what_has_begun_cannot_be_revoked()
    {
        TestWorker worker = null!;
        var runs = 0;
        IReadOnlyList<long> revoked = [];
        worker = Worker(new FakeTimeProvider(), async () =>
        {
            runs++;
            revoked = await worker.RevokeAsync([_chunk.IdOf(0), _chunk.IdOf(1)]);
            return 1;
        });
        await RunAsync(worker);
        Assert.Equal([_chunk.IdOf(1)], revoked);
        Assert.Equal(1, runs);
        Assert.Equal([CallStatus.Succeeded, CallStatus.Skipped], _replies.OrderBy(reply => reply.Key).Select(reply => reply.Value.Status));
        Assert.Empty(await worker.RevokeAsync([_chunk.IdOf(0), _chunk.IdOf(1)]));
    }

    [Fact]
    public async Task A_call_that_is_revoked_while_it_begins_either_runs_or_is_given_back()
    {
        var time = new TimeThatRevokes();
        var runs = 0;
        var worker = Worker(time, () => ++runs);
        time.Act = () => time.Revoked.AddRange(worker.RevokeAsync([_chunk.IdOf(0), _chunk.IdOf(1)]).GetAwaiter().GetResult());
        await RunAsync(worker);
        Assert.Equal(2, runs + time.Revoked.Count);
    }

    [Fact]
    public async Task A_call_that_had_not_begun_when_its_worker_was_killed_does_not_run()
    {
        var runs = 0;
        TestWorker worker = null!;
        worker = Worker(new FakeTimeProvider(), () =>
        {
            runs++;
            worker.Kill();
            return 1;
        });
        await Assert.ThrowsAsync<WorkerLostException>(() => RunAsync(worker));
        Assert.Equal((1, _chunk.IdOf(0)), (runs, (await worker.Exited).Mark!.StartedCall));
        await Assert.ThrowsAsync<WorkerLostException>(() => RunAsync(worker));
        Assert.Equal(1, runs);
    }

    private Task RunAsync(TestWorker worker) => worker.InvokeManyAsync(_chunk, (index, reply) => _replies[index] = reply, (_, _) => false).Within("the calls end");

    private static TestWorker Worker(TimeProvider time, Delegate code) => new("w", Some.Settings(options => options.TimeProvider = time), [("Do", code.Method, code.Target)], new Script());

    /// <summary>A clock that acts when it is asked for the time, which a worker does while it begins a call.</summary>
    private sealed class TimeThatRevokes : FakeTimeProvider
    {
        public Action? Act { get; set; }

        public List<long> Revoked { get; } = [];

        public override long GetTimestamp()
        {
            Act?.Invoke();
            return base.GetTimestamp();
        }
    }
}
