using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Suites;

/// <summary>What a contract may say, and how it ends when something goes wrong: the same in processes and in debug mode.</summary>
public abstract class ContractSuite(ContractFixture fixture)
{
    private SandboxPool Pool => fixture.Pool;

    private IWork Work => fixture.Work;

    [Fact]
    public async Task A_stream_yields_its_items_in_order()
    {
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => (long)i), await Work.CountAsync(5000).ToListAsync());
        Assert.Empty(await Work.CountAsync(0).ToListAsync());
        var sheets = await Work.SheetsAsync(50).ToListAsync();
        Assert.Equal(Enumerable.Range(0, 50), sheets.Select(sheet => (int)sheet.Pixels[0]));
        Assert.Equal(49, sheets[^1].Number);
    }

    [Fact]
    public async Task A_stream_is_an_array_for_who_does_not_read_it_as_a_stream()
    {
        Assert.Equal(new[] { 0L, 1, 2 }, await Pool.InvokeAsync<long[]>("IWork.CountAsync", [3]));
        Assert.Empty(await Pool.InvokeAsync<long[]>("IWork.CountAsync", [0]));
        Assert.Equal(new byte[] { 0, 7 }, (await Pool.InvokeAsync<Sheet[]>("IWork.SheetsAsync", [1]))[0].Pixels);
    }

    [Fact]
    public async Task A_stream_that_is_too_long_for_an_array_is_left_and_its_worker_goes_on()
    {
        var options = fixture.Options();
        options.MaxMessageBytes = 2 * 1024 * 1024;
        options.Workers = 1;
        await using var pool = await SandboxPool.StartAsync(options);
        var refused = await Assert.ThrowsAsync<CallArgumentException>(() => pool.InvokeAsync<long[]>("IWork.CountAsync", [long.MaxValue]).Within("the call fails"));
        Assert.Contains("StreamAsync", refused.Message);
        Assert.Equal(0, await pool.GetProxy<IWork>().LiveAsync().Within("the worker serves the next call"));
        Assert.Contains("InvokeAsync", (await Assert.ThrowsAsync<CallArgumentException>(async () => await pool.StreamAsync<int>("IWork.LiveAsync").ToListAsync())).Message);
    }

    [Fact]
    public async Task A_stream_that_throws_delivers_what_came_before()
    {
        var received = new List<long>();
        var thrown = await Assert.ThrowsAsync<PluginCallException>(async () =>
        {
            await foreach (var item in Work.CountThenThrowAsync(10))
            {
                received.Add(item);
            }
        });
        Assert.Equal("enough", thrown.Error.Message);
        Assert.Equal(10, received.Count);
        Assert.Equal("enough", (await Assert.ThrowsAsync<PluginCallException>(() => Pool.InvokeAsync<long[]>("IWork.CountThenThrowAsync", [2]))).Error.Message);
    }

    [Fact]
    public async Task A_stream_that_nobody_reads_to_its_end_is_disposed_and_its_worker_kept()
    {
        await using var lease = await Pool.LeaseAsync<IWork>().Within("a worker is free");
        for (var i = 0; i < 20; i++)
        {
            await foreach (var item in lease.Proxy.CountAsync(long.MaxValue))
            {
                if (item == 3000)
                {
                    break;
                }
            }

            await foreach (var item in lease.Proxy.DripAsync())
            {
                if (item == 2)
                {
                    break;
                }
            }
        }

        Assert.Equal(0, await lease.Proxy.LiveAsync().Within("the next call of the worker is served"));
    }

    [Fact]
    public async Task A_stream_ends_when_its_token_is_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var item in Work.DripAsync().WithCancellation(cancel.Token))
            {
                if (item == 3)
                {
                    await cancel.CancelAsync();
                }
            }
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Work.CountAsync(long.MaxValue, new CancellationToken(canceled: true)).ToListAsync());
    }

    [Fact]
    public async Task A_stream_argument_is_read_as_far_as_the_plugin_reads_it()
    {
        var read = 0;
        var ended = new TaskCompletionSource();
        Assert.Equal(4950, await Work.SumAsync(NumbersAsync(100)));
        await ended.Task.Within("the stream is disposed");
        ended = new TaskCompletionSource();
        read = 0;
        Assert.Equal(15, await Work.SumAsync(NumbersAsync(int.MaxValue), atMost: 10));
        await ended.Task.Within("the stream is disposed");
        Assert.InRange(read, 6, 5000);
        Assert.Equal(new[] { 0L, 2, 4 }, await Work.DoubleAsync(NumbersAsync(3)).ToListAsync());
        Assert.Equal(6, await Pool.InvokeAsync<long>("IWork.SumAsync", CallArguments.FromJson("[[1,2,3]]")));

        async IAsyncEnumerable<long> NumbersAsync(int count)
        {
            try
            {
                for (var i = 0; i < count; i++)
                {
                    read++;
                    if (i % 100 == 99)
                    {
                        await Task.Yield();
                    }

                    yield return i;
                }
            }
            finally
            {
                ended.TrySetResult();
            }
        }
    }

    [Fact]
    public async Task An_item_that_is_too_large_fails_the_call_and_the_items_before_it_arrive()
    {
        var options = fixture.Options();
        options.MaxMessageBytes = 2 * 1024 * 1024;
        options.Workers = 1;
        await using var pool = await SandboxPool.StartAsync(options);
        var work = pool.GetProxy<IWork>();
        var thrown = await Assert.ThrowsAsync<PluginCallException>(() => work.CountBytesAsync(LargeAsync(3 * 1024 * 1024)).Within("the call ends"));
        Assert.Contains("MaxMessageBytes", thrown.Error.Message);
        Assert.Equal(10 + 1_900_000, await work.CountBytesAsync(LargeAsync(1_900_000)).Within("what fits by itself arrives"));
        var received = new List<int>();
        await Assert.ThrowsAsync<CallArgumentException>(async () =>
        {
            await foreach (var bytes in work.BytesAsync(60_000, 1_900_000, 3 * 1024 * 1024))
            {
                received.Add(bytes.Length);
            }
        });
        Assert.Equal([60_000, 1_900_000], received);
        Assert.Equal(2, await work.SumAsync(new[] { 2L }.ToAsyncEnumerable()).Within("the worker goes on"));

        static async IAsyncEnumerable<byte[]> LargeAsync(int length)
        {
            yield return new byte[10];
            yield return new byte[length];
            await Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Cancelling_a_call_that_waits_for_a_quiet_stream_keeps_its_worker()
    {
        await using var lease = await Pool.LeaseAsync<IWork>().Within("a worker is free");
        using var cancel = new CancellationTokenSource();
        var asked = new TaskCompletionSource();
        var call = lease.Proxy.SumUntilAsync(QuietAsync(), cancel.Token);
        await asked.Task.Within("the plugin reads");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Within("the call ends"));
        Assert.Equal(3, await lease.Proxy.SumAsync(new[] { 3L }.ToAsyncEnumerable()).Within("the worker goes on"));

        async IAsyncEnumerable<long> QuietAsync()
        {
            asked.SetResult();
            await new TaskCompletionSource().Task;
            yield return 1;
        }
    }

    [Fact]
    public async Task Progress_from_a_thread_of_the_plugins_own_and_during_a_stream_arrives()
    {
        var steps = new Steps(_ => { });
        Assert.Equal([0L, 1, 2], await Work.CountAndReportAsync(3, steps).ToListAsync());
        Assert.Equal([1, 2, 3], steps.Seen.Select(step => step.Done));
    }

    [Fact]
    public async Task A_stream_argument_that_throws_fails_the_call_with_its_reason()
    {
        var thrown = await Assert.ThrowsAsync<PluginCallException>(() => Work.SumAsync(FailingAsync()).Within("the call ends"));
        Assert.Equal(typeof(HostServiceException).FullName, thrown.Error.Type);
        Assert.Contains("the source is dry", thrown.Error.Message);

        static async IAsyncEnumerable<long> FailingAsync()
        {
            yield return 1;
            await Task.Yield();
            throw new FormatException("the source is dry");
        }
    }

    [Fact]
    public async Task Progress_arrives_in_order_before_the_call_ends()
    {
        var steps = new Steps(_ => { });
        Assert.Equal(20, await Work.ReportAsync(20, steps).Within("the call ends"));
        Assert.Equal(Enumerable.Range(1, 20), steps.Seen.Select(step => step.Done));
        Assert.Equal(3, await Pool.InvokeAsync<long>("IWork.ReportAsync", [3]).Within("nobody listens"));
    }

    [Fact]
    public async Task A_flood_of_progress_keeps_the_latest_reports()
    {
        using var gate = new ManualResetEventSlim();
        var steps = new Steps(_ => gate.Wait(TestTime.Limit));
        var call = Work.ReportAsync(100_000, steps);
        gate.Set();
        await call.Within("the call ends");
        Assert.Equal(100_000, steps.Seen.Last().Done);
        Assert.InRange(steps.Seen.Count, 1, 99_999);
        Assert.Equal(steps.Seen.Select(step => step.Done).Order(), steps.Seen.Select(step => step.Done));
    }

    [Fact]
    public async Task A_progress_handler_that_throws_harms_nothing()
    {
        var steps = new Steps(_ => throw new InvalidOperationException("a handler's own fault"));
        Assert.Equal(5, await Work.ReportAsync(5, steps).Within("the call ends"));
        Assert.Equal(5, steps.Seen.Count);
    }

    [Fact]
    public async Task A_plugin_uses_what_the_host_exposes_and_nothing_else()
    {
        Assert.Equal("content of a2,1", await Work.ReadAsync("a").Within("the service answers"));
        Assert.Equal("content of b", await Work.ReadManyAsync("b", 500).Within("the service answers many calls at once"));
        Assert.Contains("does not expose IUnknown.DoAsync", await Work.UnknownServiceAsync().Within("the service is refused"));
        var thrown = await Assert.ThrowsAsync<PluginCallException>(() => Work.ReadAsync("missing").Within("the service throws"));
        Assert.Equal((typeof(HostServiceException).FullName, "no missing"), (thrown.Error.Type, thrown.Error.Message));
    }

    [Fact]
    public async Task Polymorphic_generic_and_nested_records_keep_their_meaning()
    {
        Assert.Equal(new Circle(6), await Work.GrowAsync(new Circle(2), CancellationToken.None, 3));
        Assert.Equal(new Square(8), await Work.GrowAsync(new Square(2), CancellationToken.None, 4));
        Assert.Equal(new Pair<int, string>(1, "one"), await Work.SwapAsync(new Pair<string, int>("one", 1)));
    }

    [Fact]
    public async Task A_lease_keeps_its_worker_and_the_calls_of_others_away()
    {
        await using var lease = await Pool.LeaseAsync<IWork>().Within("a worker is free");
        Assert.True(lease.IsActive);
        await lease.Proxy.RememberAsync(1);
        for (var i = 1; i < 50; i++)
        {
            await Task.WhenAll(Work.RememberAsync(-1), Work.RememberAsync(-1)).Within("the other worker serves");
            Assert.Equal(i, await lease.Proxy.RememberAsync(i + 1));
        }

        Assert.Equal(50, await lease.InvokeAsync<int>("IWork.RememberAsync", [0]));
        var ordered = await Task.WhenAll(Enumerable.Range(1, 20).Select(lease.Proxy.RememberAsync)).Within("its calls run in order");
        Assert.Equal(Enumerable.Range(0, 20), ordered);
        await lease.DisposeAsync();
        Assert.False(lease.IsActive);
        Assert.Equal(RejectionReason.LeaseEnded, (await Assert.ThrowsAsync<CallRejectedException>(() => lease.Proxy.RememberAsync(1))).Reason);
    }

    [Fact]
    public async Task Calls_of_one_key_go_to_one_worker()
    {
        foreach (var key in new[] { "a", "b", "c", "d", "e" })
        {
            var proxy = Pool.GetProxy<IWork>(new CallOptions { AffinityKey = key });
            await proxy.RememberAsync(0);
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(i, await proxy.RememberAsync(i + 1).Within("the key's worker serves"));
            }
        }
    }

    [Fact]
    public async Task A_result_comes_with_what_it_cost()
    {
        var result = await Pool.MeasureAsync<long>("IWork.SumAsync", CallArguments.FromJson("[[1,2,3]]"));
        Assert.Equal(6, result.Value);
        Assert.StartsWith("test-", result.WorkerName);
        Assert.True(result.RunTime > TimeSpan.Zero && result.AllocatedBytes > 0, $"Expected figures, got {result}.");
    }

    [Fact]
    public async Task A_plugin_is_initialized_before_its_first_call_and_its_log_reaches_the_host()
    {
        Assert.NotEqual(-1, await Work.ProcessIdAsync());
        var line = await fixture.Log.WaitForAsync(text => text.Contains("[Work] initialized", StringComparison.Ordinal), "the plugin's line");
        Assert.StartsWith("test-", line);
        await using var pool = await SandboxPool.StartAsync(fixture.Options());
        await pool.StopAsync();
        await fixture.Log.WaitForAsync(text => text.Contains("disposed hello", StringComparison.Ordinal), "the plugin's last line");
    }

    [Fact]
    public async Task A_pool_that_stops_ends_streams_and_leases()
    {
        await using var pool = await SandboxPool.StartAsync(fixture.Options());
        var lease = await pool.LeaseAsync<IWork>();
        var waiting = lease.Proxy.WaitAsync(CancellationToken.None);
        var stream = pool.GetProxy<IWork>().DripAsync().GetAsyncEnumerator();
        Assert.True(await stream.MoveNextAsync());
        await pool.StopAsync(drain: false).Within("the pool stops");
        Assert.Equal(RejectionReason.Stopped, (await Assert.ThrowsAsync<CallRejectedException>(() => waiting)).Reason);
        Assert.Equal(RejectionReason.Stopped, (await Assert.ThrowsAsync<CallRejectedException>(async () =>
        {
            while (await stream.MoveNextAsync())
            {
            }
        })).Reason);
        await Assert.ThrowsAsync<CallRejectedException>(() => lease.Proxy.RememberAsync(1));
        await lease.DisposeAsync().AsTask().Within("the lease ends");
        await stream.DisposeAsync();
        await Assert.ThrowsAsync<CallRejectedException>(() => pool.LeaseAsync<IWork>());
        await Assert.ThrowsAsync<CallRejectedException>(() => pool.GetProxy<IWork>().LiveAsync());
    }

    private sealed class Steps(Action<Step> also) : IProgress<Step>
    {
        public System.Collections.Concurrent.ConcurrentQueue<Step> Seen { get; } = new();

        public void Report(Step value)
        {
            Seen.Enqueue(value);
            also(value);
        }
    }
}

public sealed class Contracts_in_processes(ProcessContractFixture fixture) : ContractSuite(fixture), IClassFixture<ProcessContractFixture>;

public sealed class Contracts_in_debug_mode(DebugContractFixture fixture) : ContractSuite(fixture), IClassFixture<DebugContractFixture>;
