using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Suites;

/// <summary>What a contract means when the worker behind it dies.</summary>
public sealed class ContractCrashTests(ProcessContractFixture fixture) : IClassFixture<ProcessContractFixture>
{
    private IWork Work => fixture.Work;

    [Fact]
    public async Task A_stream_whose_worker_dies_delivers_what_came_before_and_says_so()
    {
        var received = 0;
        var signal = Path.Combine(PluginSource.NewFolder(), "received");
        var crashed = await Assert.ThrowsAsync<WorkerCrashedException>(async () =>
        {
            await foreach (var item in Work.CountThenDieAsync(10, signal))
            {
                Assert.Equal(received++, item);
                if (received == 10)
                {
                    await File.WriteAllTextAsync(signal, "");
                }
            }
        });
        Assert.Equal((10, CrashReason.ExitCalled, Execution.Started), (received, crashed.Reason, crashed.Execution));
        Assert.Equal(3, await Work.SumAsync(new[] { 1L, 2 }.ToAsyncEnumerable()).Within("the next call is served"));
    }

    [Fact]
    public async Task A_stream_that_is_not_read_when_its_worker_is_killed_fails_at_the_next_item()
    {
        await using var lease = await fixture.Pool.LeaseAsync<IWork>();
        await using var stream = lease.Proxy.CountAsync(long.MaxValue).GetAsyncEnumerator();
        Assert.True(await stream.MoveNextAsync());
        Sandboxes.Kill(lease.ProcessId!.Value);
        var crashed = await Assert.ThrowsAsync<WorkerCrashedException>(async () =>
        {
            while (await stream.MoveNextAsync())
            {
            }
        }).Within("the stream ends");
        Assert.Equal("SIGKILL", crashed.Signal);
    }

    [Fact]
    public async Task A_lease_whose_worker_dies_fails_and_never_lands_on_another_one()
    {
        await using var lease = await fixture.Pool.LeaseAsync<IWork>();
        await lease.Proxy.RememberAsync(7);
        var dying = lease.Proxy.DieAsync();
        var queued = lease.Proxy.RememberAsync(8);
        Assert.Equal(CrashReason.ExitCalled, (await Assert.ThrowsAsync<WorkerCrashedException>(() => dying.Within("the call fails"))).Reason);
        var lost = await Assert.ThrowsAsync<CallRejectedException>(() => queued.Within("what waited fails"));
        Assert.Equal((RejectionReason.LeaseLost, lease.ProcessId), (lost.Reason, lost.ProcessId));
        Assert.IsType<WorkerCrashedException>(lost.InnerException);
        Assert.Equal(RejectionReason.LeaseLost, (await Assert.ThrowsAsync<CallRejectedException>(() => lease.Proxy.RememberAsync(9).Within("a later use fails"))).Reason);
        Assert.False(lease.IsActive);
    }

    [Fact]
    public async Task A_leased_worker_that_is_killed_while_idle_is_lost_too()
    {
        await using var lease = await fixture.Pool.LeaseAsync<IWork>();
        Sandboxes.Kill(lease.ProcessId!.Value);
        await Until.HoldsAsync(() => !lease.IsActive, "the lease is lost");

        Assert.Equal(RejectionReason.LeaseLost, (await Assert.ThrowsAsync<CallRejectedException>(() => lease.Proxy.LiveAsync())).Reason);
        Assert.NotEqual(lease.ProcessId, await Work.ProcessIdAsync().Within("the pool goes on"));
    }

    [Fact]
    public async Task An_idempotent_call_is_made_again_when_that_was_asked_for()
    {
        Pools.SkipWhenConfined("writes beside its assembly");
        var file = Path.Combine(PluginSource.NewFolder(), "died");
        await Assert.ThrowsAsync<WorkerCrashedException>(() => Work.DieTheFirstTimeAsync(file));
        File.Delete(file);
        Assert.NotEqual(0, await fixture.Pool.GetProxy<IWork>(new CallOptions { Retries = 1 }).DieTheFirstTimeAsync(file).Within("the call is made again"));
        await Assert.ThrowsAsync<WorkerCrashedException>(() => fixture.Pool.GetProxy<IWork>(new CallOptions { Retries = 1 }).DieAsync());
    }

    [Fact]
    public async Task A_contract_that_differs_is_refused_before_any_process_starts()
    {
        var options = fixture.Options();
        options.Contracts.Clear();
        options.Contracts.Add(typeof(Other.IWork));
        var refused = await Assert.ThrowsAsync<PluginLoadException>(() => SandboxPool.StartAsync(options));
        Assert.Equal(LoadStage.Contract, refused.Stage);
        Assert.Null(refused.ProcessId);
        foreach (var signature in new[] { "IWork.SumAsync(string numbers) → long", "IWork.SumAsync(IAsyncEnumerable<long> numbers, [long atMost]) → long", "IWork.MissingAsync() → void" })
        {
            Assert.Contains(signature, refused.Message);
        }

        Assert.DoesNotContain("IWork.LiveAsync() → int\n  the plugin has   ", refused.Message);
        Assert.Equal(LoadStage.Contract, Assert.Throws<PluginLoadException>(() => fixture.Pool.GetProxy<Other.IWork>()).Stage);
    }

    private static class Other
    {
        public interface IWork
        {
            Task<int> LiveAsync();

            Task<long> SumAsync(string numbers);

            Task MissingAsync();
        }
    }
}
