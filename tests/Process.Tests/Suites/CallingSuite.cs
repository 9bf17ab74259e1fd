using System.Text.Json;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Suites;

/// <summary>What a call may carry and how it may end: the same in processes and in debug mode.</summary>
public abstract class CallingSuite(PoolFixture fixture)
{
    private SandboxPool Pool => fixture.Pool;

    [Fact]
    public async Task A_result_comes_back()
    {
        Assert.Equal(49, await Pool.InvokeAsync<long>("Square", [7]));
        Assert.Equal(49, Pool.Invoke<long>("Square", [7]));
        Assert.Equal("other", await Pool.InvokeAsync<string>("renamed"));
    }

    [Fact]
    public async Task Tasks_of_every_kind_are_awaited()
    {
        Assert.Equal(1, await Pool.InvokeAsync<int>("Later", [1]));
        Assert.Equal(2, await Pool.InvokeAsync<int>("LaterStill", [2]));
        await Pool.InvokeAsync("LaterNothing");
    }

    [Fact]
    public async Task Results_that_look_like_nothing_come_back_as_they_are()
    {
        await Pool.InvokeAsync("Nothing");
        Assert.Equal(0, await Pool.InvokeAsync<int>("Zero"));
        Assert.Equal("", await Pool.InvokeAsync<string>("Empty"));
        Assert.Null(await Pool.InvokeAsync<string?>("Null"));
        Assert.False(await Pool.InvokeAsync<bool>("False"));
        Assert.Empty(await Pool.InvokeAsync<int[]>("NoItems"));
        Assert.Equal(new[] { 1 }, await Pool.InvokeAsync<int[]>("OneItem"));
        Assert.Equal(double.NaN, await Pool.InvokeAsync<double>("NotANumber"));
        Assert.Equal((3, "text"), await Pool.InvokeAsync<(int, string)>("Pair", [3]));
    }

    [Fact]
    public async Task Arguments_go_by_position_or_by_name_and_defaults_are_kept()
    {
        Assert.Equal("a-aFriday", await Pool.InvokeAsync<string>("Repeat", ["a"]));
        Assert.Equal("a-a-aFriday", await Pool.InvokeAsync<string>("Repeat", ["a", 3]));
        Assert.Equal("a+aMonday", await Pool.InvokeAsync<string>("Repeat", CallArguments.Named(("separator", "+"), ("day", DayOfWeek.Monday), ("text", "a"))));
        Assert.Equal("b-bFriday", await Pool.InvokeAsync<string>("Repeat", CallArguments.FromJson("""{"Text":"b"}""")));
        Assert.Equal("c-cFriday", await Pool.InvokeAsync<string>("Repeat", CallArguments.FromJson("""["c"]""")));
    }

    [Fact]
    public async Task Bytes_travel_beside_the_json_wherever_they_are()
    {
        Assert.Equal(new byte[] { 3, 2, 1 }, await Pool.InvokeAsync<byte[]>("Reverse", [new byte[] { 1, 2, 3 }]));
        Assert.Equal(new byte[] { 2, 1 }, await Pool.InvokeAsync<byte[]>("Reverse", [(ReadOnlyMemory<byte>)new byte[] { 1, 2 }]));
        Assert.Empty(await Pool.InvokeAsync<byte[]>("Reverse", [Array.Empty<byte>()]));
        Assert.Equal(1_000_000, await Pool.InvokeAsync<long>("Length", [new MemoryStream(new byte[1_000_000])]));
        var photo = await Pool.InvokeAsync<Photo>("Flip", [new Photo("p", [1, 2], new byte[] { 9 })]);
        Assert.Equal(("p", 2, 1, 9), (photo.Name, photo.Pixels[0], photo.Pixels[1], photo.Icon.Span[0]));
    }

    [Fact]
    public async Task Many_bytes_travel_both_ways_in_one_call_after_another_and_from_several_callers()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async caller =>
        {
            for (var call = 1; call <= 3; call++)
            {
                var pixels = new byte[call * 1_300_000];
                pixels.AsSpan().Fill((byte)caller);
                pixels[^1] = (byte)(10 * call);
                var photo = await Pool.InvokeAsync<Photo>("Flip", [new Photo("p", pixels, new byte[] { 9 })]);
                Array.Reverse(pixels);
                Assert.True(pixels.AsSpan().SequenceEqual(photo.Pixels), $"Expected the {pixels.Length} bytes of caller {caller} reversed.");
                Assert.Equal(9, photo.Icon.Span[0]);
            }
        }));
    }

    [Fact]
    public async Task A_caller_without_types_gets_bytes_as_base64()
    {
        var photo = await Pool.InvokeAsync<JsonElement>("Flip", [new Photo("p", [1, 2], new byte[] { 9 })]);
        Assert.Equal("AgE=", photo.GetProperty("pixels").GetString());
        Assert.Equal(new byte[] { 2, 1 }, await Pool.InvokeAsync<byte[]>("Reverse", CallArguments.FromJson("""["AQI="]""")));
    }

    [Fact]
    public async Task The_sandbox_supplies_context_and_token()
    {
        var who = await Pool.InvokeAsync<string>("Who", ["hi"]);
        Assert.Matches(@"^hi test test-[01] [01] Everyday (True|False)$", who);
    }

    [Fact]
    public async Task A_plugin_lives_in_its_own_load_context_and_its_json_attributes_hold()
    {
        Assert.EndsWith("|False", await Pool.InvokeAsync<string>("Context"));
        Assert.Equal("""5{"v":5}""", await Pool.InvokeAsync<string>("Attributes", CallArguments.FromJson("""[{"v":5}]""")));
        Assert.Equal(5, (await Pool.InvokeAsync<JsonElement>("MakeNamed", [5])).GetProperty("v").GetInt32());
    }

    [Fact]
    public async Task A_plugin_exception_arrives_whole_and_harms_nothing_else()
    {
        var thrown = await Assert.ThrowsAsync<PluginCallException>(() => Pool.InvokeAsync("Throw", ["broken"]));
        Assert.Equal(("System.InvalidOperationException", "broken"), (thrown.Error.Type, thrown.Error.Message));
        Assert.Contains("Everyday.Throw", thrown.Error.StackTrace);
        Assert.Equal("System.ArgumentNullException", thrown.Error.Inner!.Type);
        Assert.Equal(("test", "Throw", Execution.Started), (thrown.PoolName, thrown.EntryPoint, thrown.Execution));
        Assert.NotNull(thrown.WorkerName);
        Assert.NotNull(thrown.CallId);
        var odd = await Assert.ThrowsAsync<PluginCallException>(() => Pool.InvokeAsync("ThrowLater"));
        Assert.Equal("OddException", odd.Error.Type);
        Assert.Equal(4, await Pool.InvokeAsync<long>("Square", [2]));
    }

    [Theory]
    [InlineData("Missing", "[]", "no entry point 'Missing'")]
    [InlineData("Square", "[]", "No value was given for 'value'")]
    [InlineData("Square", "[1,2]", "2 arguments were given, but Square(long value) takes 1 argument")]
    [InlineData("Square", "[\"x\"]", "cannot be read as long")]
    [InlineData("Square", "[null]", "cannot be read as long")]
    [InlineData("Square", "{\"nope\":1}", "no parameter 'nope'")]
    [InlineData("Square", "{\"value\":1,\"VALUE\":2}", "given twice")]
    [InlineData("Square", "[1", "not valid JSON")]
    [InlineData("Square", "{\"\\ud800\":1}", "not valid JSON")]
    [InlineData("Square", "7", "neither a JSON array")]
    public async Task Arguments_that_do_not_fit_fail_their_call_before_plugin_code_runs(string entryPoint, string json, string message)
    {
        var refused = await Assert.ThrowsAsync<CallArgumentException>(() => Pool.InvokeAsync(entryPoint, CallArguments.FromJson(json)));
        Assert.Contains(message, refused.Message);
        Assert.Equal(Execution.NotStarted, refused.Execution);
        Assert.Equal(9, await Pool.InvokeAsync<long>("Square", [3]));
    }

    [Fact]
    public async Task What_cannot_be_serialized_fails_its_call_only()
    {
        var argument = await Assert.ThrowsAsync<CallArgumentException>(() => Pool.InvokeAsync("Square", [new Action(() => { })]));
        Assert.Equal(Execution.NotStarted, argument.Execution);
        var result = await Assert.ThrowsAsync<CallArgumentException>(() => Pool.InvokeAsync("Unserializable"));
        Assert.Equal(Execution.Started, result.Execution);
        var type = await Assert.ThrowsAsync<CallArgumentException>(() => Pool.InvokeAsync<int>("Empty"));
        Assert.Contains("cannot be read as int", type.Message);
        Assert.Equal(9, await Pool.InvokeAsync<long>("Square", [3]));
    }

    [Fact]
    public async Task Callbacks_run_once_each_and_may_throw_and_call_again()
    {
        var results = new System.Collections.Concurrent.ConcurrentBag<long>();
        var errors = new System.Collections.Concurrent.ConcurrentBag<Exception>();
        using var left = new CountdownEvent(201);
        for (var i = 0; i < 100; i++)
        {
            Pool.Post<long>("Square", [i], onResult: first =>
            {
                left.Signal();
                Pool.Post<long>("Square", [1], onResult: second =>
                {
                    results.Add(first);
                    left.Signal();
                });
                throw new InvalidOperationException("a callback's own fault");
            });
        }

        Pool.Post<long>("Throw", ["x"], onResult: _ => Assert.Fail("expected the error callback"), onError: error =>
        {
            errors.Add(error);
            left.Signal();
        });

        Assert.True(left.Wait(TestTime.Limit), $"Expected 201 callbacks; {left.CurrentCount} are missing.");
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (long)i * i), results.Order());
        Assert.IsType<PluginCallException>(Assert.Single(errors));
        Assert.Equal(4, await Pool.InvokeAsync<long>("Square", [2]));
    }

    [Fact]
    public async Task A_batch_returns_outcomes_in_order_to_every_waiter()
    {
        var batch = Pool.CreateBatch<long>(50);
        for (var i = 0; i < 50; i++)
        {
            batch.Add(i == 20 ? "Throw" : "Square", [i == 20 ? "twenty" : i]);
        }

        var waiters = await Task.WhenAll(batch.WaitAsync(), batch.WaitAsync(), Task.Run(() => batch.Wait(TestTime.Limit)));
        foreach (var outcomes in waiters)
        {
            Assert.Equal(Enumerable.Range(0, 50).Select(i => (long)i), outcomes.Select(outcome => outcome.Index));
            Assert.All(outcomes, outcome => Assert.Equal(outcome.Index != 20, outcome.Succeeded));
            Assert.Equal(49L * 49, outcomes[49].Value);
            Assert.Single(Assert.Throws<AggregateException>(() => outcomes.GetValues()).InnerExceptions);
            Assert.IsType<PluginCallException>(Assert.Throws<InvalidOperationException>(() => outcomes[20].Value).InnerException);
        }
    }

    [Fact]
    public async Task A_batch_refuses_more_than_its_size_and_waiting_for_less()
    {
        var batch = Pool.CreateBatch<long>(2);
        batch.Add("Square", [1]);
        Assert.Contains("1 of 2", Assert.Throws<InvalidOperationException>(() => batch.Wait()).Message);
        batch.Add("Square", [2]);
        Assert.Throws<InvalidOperationException>(() => batch.Add("Square", [3]));
        Assert.Equal(new long[] { 1, 4 }, (await batch.WaitAsync()).GetValues());

        var shorter = Pool.CreateBatch<long>(10);
        shorter.Add("Square", [3]);
        shorter.Complete();
        Assert.Equal(new long[] { 9 }, (await shorter.WaitAsync()).GetValues());
        Assert.Empty(await Pool.CreateBatch<long>(0).WaitAsync());
        Assert.Throws<ArgumentOutOfRangeException>(() => Pool.CreateBatch<long>(-1));
    }

    [Fact]
    public async Task A_batch_is_filled_by_many_threads()
    {
        var batch = Pool.CreateBatch<long>(200);
        await Parallel.ForAsync(0, 198, async (_, cancellationToken) => await batch.AddAsync("Square", [3], cancellationToken));
        var own = Enumerable.Range(0, 2).Select(_ => new Thread(() => batch.Add("Square", [3]))).ToList();
        own.ForEach(thread => thread.Start());
        own.ForEach(thread => thread.Join());
        Assert.All((await batch.WaitAsync().Within("the batch is done")).GetValues(), value => Assert.Equal(9, value));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Map_yields_one_outcome_for_each_item(bool ordered)
    {
        var outcomes = new List<CallOutcome<long>>();
        await foreach (var outcome in Pool.MapAsync<object, long>("Square", Enumerable.Range(0, 200).Select(i => i == 7 ? (object)"seven" : i), ordered))
        {
            outcomes.Add(outcome);
        }

        Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i), ordered ? outcomes.Select(outcome => outcome.Index) : outcomes.Select(outcome => outcome.Index).Order());
        Assert.All(outcomes, outcome => Assert.Equal(outcome.Index != 7, outcome.Succeeded));
        Assert.All(outcomes.Where(outcome => outcome.Succeeded), outcome => Assert.Equal(outcome.Index * outcome.Index, outcome.Value));
    }

    [Fact]
    public async Task Map_reads_an_endless_input_only_as_far_as_it_is_consumed()
    {
        var read = 0;
        var taken = 0;
        await foreach (var outcome in Pool.MapAsync<long, long>("Square", Endless()))
        {
            Assert.Equal(outcome.Index * outcome.Index, outcome.Value);
            if (++taken == 100)
            {
                break;
            }
        }

        // Two workers: while calls are short, as much as keeps them busy.
        Assert.InRange(read, 100, 200 + 512 * 5);

        IEnumerable<long> Endless()
        {
            for (var i = 0L; ; i++)
            {
                read++;
                yield return i;
            }
        }
    }

    [Fact]
    public async Task Map_delivers_what_was_read_before_the_input_failed()
    {
        var delivered = 0;
        await Assert.ThrowsAsync<FormatException>(async () =>
        {
            await foreach (var outcome in Pool.MapAsync<long, long>("Square", Failing()))
            {
                delivered++;
            }
        });
        Assert.Equal(10, delivered);

        static IEnumerable<long> Failing()
        {
            for (var i = 0; i < 10; i++)
            {
                yield return i;
            }

            throw new FormatException();
        }
    }

    [Fact]
    public async Task Cancelling_ends_a_call_that_listens_and_keeps_its_worker()
    {
        var workers = await WorkersAsync();
        using var cancel = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 10).Select(_ => Pool.InvokeAsync("UntilCancelled", [], cancel.Token)).ToList();
        await cancel.CancelAsync();
        foreach (var call in calls)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Within("a cancelled call ends"));
        }

        Assert.Equal(workers.Order(), (await WorkersAsync()).Order());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Pool.InvokeAsync("Nothing", [], new CancellationToken(canceled: true)));
    }

    // The plugin's instance in each of the two workers. Single calls might all go to the same one.
    private async Task<string[]> WorkersAsync()
    {
        await using var first = await Pool.LeaseAsync().Within("a worker is leased");
        await using var second = await Pool.LeaseAsync().Within("the other worker is leased");
        return await Task.WhenAll(first.InvokeAsync<string>("Identity"), second.InvokeAsync<string>("Identity")).Within("both workers answer");
    }

    [Fact]
    public async Task A_typed_proxy_calls_the_contract()
    {
        await using var pool = await Pools.StartAsync(EverydayPlugin.Folder, workers: 1, fixture.Debug);
        var counter = pool.GetProxy<ICounter>();
        Assert.Equal(2, await counter.AddAsync(2));
        Assert.Equal(5, await counter.AddAsync(3));
        await counter.ResetAsync();
        Assert.Equal(1, await counter.AddAsync(1));
        Assert.Equal("Ntest", await counter.DescribeAsync(CancellationToken.None));
        Assert.Equal(3, await pool.InvokeAsync<int>("ICounter.AddAsync", [2]));
    }

    [Fact]
    public async Task A_stopped_pool_settles_every_call_and_starts_again()
    {
        await using var pool = await Pools.StartAsync(EverydayPlugin.Folder, workers: 1, fixture.Debug);
        for (var round = 0; round < 2; round++)
        {
            Assert.True(pool.IsRunning);
            var calls = Enumerable.Range(0, 5).Select(_ => pool.InvokeAsync("UntilCancelled")).ToList();
            await pool.StopAsync(drain: false).Within("the pool stops");
            foreach (var call in calls)
            {
                Assert.Equal(RejectionReason.Stopped, (await Assert.ThrowsAsync<CallRejectedException>(() => call.Within("a call of a stopped pool ends"))).Reason);
            }

            Assert.Equal(PoolState.Stopped, pool.State);
            await Assert.ThrowsAsync<CallRejectedException>(() => pool.InvokeAsync("Nothing"));
            await pool.StartAsync().Within("the pool starts again");
            Assert.Equal(4, await pool.InvokeAsync<long>("Square", [2]));
            await Assert.ThrowsAsync<InvalidOperationException>(() => pool.StartAsync());
        }
    }

    [Fact]
    public async Task Draining_finishes_what_was_begun_and_a_callback_may_ask_for_it()
    {
        await using var pool = await Pools.StartAsync(EverydayPlugin.Folder, workers: 1, fixture.Debug);
        var calls = Enumerable.Range(0, 40).Select(i => pool.InvokeAsync<long>("Square", [i])).ToList();
        var stopped = new TaskCompletionSource();
        pool.Post<long>("Square", [1], onResult: result => _ = pool.StopAsync().ContinueWith(_ => stopped.SetResult(), TaskScheduler.Default));
        await stopped.Task.Within("the pool stops from a callback");
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i * i), await Task.WhenAll(calls));
        Assert.Equal(PoolState.Stopped, pool.State);
    }

    [Fact]
    public async Task A_message_above_the_cap_fails_its_call_only()
    {
        var options = Pools.Options(EverydayPlugin.Folder, workers: 1, fixture.Debug);
        options.MaxMessageBytes = 2 * 1024 * 1024;
        await using var pool = await SandboxPool.StartAsync(options);
        Assert.Contains("MaxMessageBytes", (await Assert.ThrowsAsync<CallArgumentException>(() => pool.InvokeAsync("Reverse", [new byte[2 * 1024 * 1024]]))).Message);
        Assert.Contains("MaxMessageBytes", (await Assert.ThrowsAsync<CallArgumentException>(() => pool.InvokeAsync<string>("Long", [2 * 1024 * 1024]))).Message);
        Assert.Equal(60_000, (await pool.InvokeAsync<string>("Long", [60_000])).Length);
    }
}

public sealed class Calling_in_processes(ProcessPoolFixture fixture) : CallingSuite(fixture), IClassFixture<ProcessPoolFixture>;

public sealed class Calling_in_debug_mode(DebugPoolFixture fixture) : CallingSuite(fixture), IClassFixture<DebugPoolFixture>;
