using System.Collections.Concurrent;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>Maps of many short calls: whatever goes together, each item ends as if it had come alone.</summary>
public sealed class MapTests
{
    private const int Items = 4_000;

    private static readonly string Plugin = PluginSource.Members("""
        [EntryPoint] public static long Square(long value) => value * value;
        [EntryPoint] public static long Odd(long value)
        {
            if (value == 1_500) { kill(Environment.ProcessId, 9); Thread.Sleep(Timeout.Infinite); }
            if (value == 2_500) { throw new InvalidOperationException("not this one"); }
            return value;
        }
        [EntryPoint] public static long Hang(long value)
        {
            if (value == 1_500) { Thread.Sleep(Timeout.Infinite); }
            return Environment.StackTrace.Contains("InvokeMany") ? value : -value;
        }
        [EntryPoint] public static long Slow(long value)
        {
            Thread.Sleep(200);
            return value;
        }
        [EntryPoint] public static long Stop(long value)
        {
            // A thread goes on for a moment after its process was stopped.
            if (value == 1_500) { kill(Environment.ProcessId, 19); Thread.Sleep(Timeout.Infinite); }
            return Environment.StackTrace.Contains("InvokeMany") ? value : -value;
        }
        [EntryPoint] public static string Text(long value) => value == 3_000 ? new string('x', 200_000) : $"{value}";
        [EntryPoint] public static byte[] Bytes(long value) => new byte[value % 3];
        [EntryPoint] public static object Any(object value) => value;
        public sealed class Holder { public Stream Data { get; set; } }
        [EntryPoint] public static long Length(Holder holder) => holder.Data?.Length ?? 0;
        private static readonly AsyncLocal<string> Left = new();
        [EntryPoint] public static string Ambient(long leaves)
        {
            var seen = $"{Left.Value}{(System.Globalization.CultureInfo.CurrentCulture.Name == "de-DE" ? "de-DE" : "")}{SynchronizationContext.Current}";
            if (leaves == 1)
            {
                Left.Value = "left";
                System.Globalization.CultureInfo.CurrentCulture = new("de-DE");
                SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
            }
            return seen;
        }
        public interface IAsked { Task AskAsync(); }
        [EntryPoint] public static long Ask(long value, IPluginContext context)
        {
            _ = context.GetHostService<IAsked>().AskAsync();
            return value;
        }
        public interface ILedger { Task<long> EnterAsync(long value); }
        [EntryPoint] public static long Entered(long value, IPluginContext context)
        {
            var entry = context.GetHostService<ILedger>().EnterAsync(value).GetAwaiter().GetResult();
            if (value == 1_500) { kill(Environment.ProcessId, 9); Thread.Sleep(Timeout.Infinite); }
            return Environment.StackTrace.Contains("InvokeMany") ? entry : -entry;
        }
        [DllImport("libc")] private static extern int kill(int pid, int signal);
        """, "Mapped");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_many_items_only_the_deadly_one_and_the_one_that_throws_fail(bool ordered)
    {
        await using var pool = await Pools.StartAsync(Plugin, workers: 2);
        var outcomes = await pool.MapAsync<long, long>("Odd", Numbers(), ordered).ToListAsync().AsTask().Within("the map ends");
        Assert.Equal(Enumerable.Range(0, Items).Select(index => (long)index), (ordered ? outcomes : [.. outcomes.OrderBy(outcome => outcome.Index)]).Select(outcome => outcome.Index));
        OddCalls.Check(outcomes);
    }

    [Theory]
    [InlineData("Hang")]
    [InlineData("Stop")]
    public async Task An_item_that_takes_longer_than_it_may_fails_alone(string entryPoint)
    {
        var options = Pools.Options(Plugin, workers: 2);
        (options.CallTimeout, options.WhenFull) = (TimeSpan.FromSeconds(5), WhenFull.Reject);
        await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
        Pools.KnowToBeShort(pool, entryPoint);
        var outcomes = await pool.MapAsync<long, long>(entryPoint, Numbers()).ToListAsync().AsTask().Within("the map ends");
        Assert.Equal(Items, outcomes.Count);
        Assert.All(outcomes.Where(outcome => outcome.Index != 1_500), outcome => Assert.Equal(outcome.Index, Math.Abs(outcome.Value)));
        Assert.Contains(outcomes, outcome => outcome.Error is null && outcome.Value > 0);
        var timeout = Assert.IsType<CallTimeoutException>(outcomes[1_500].Error);
        Assert.Equal((TimeoutPhase.Execute, options.CallTimeout.Value), (timeout.Phase, timeout.Timeout));
    }

    [Fact]
    public async Task Items_wait_for_a_worker_as_long_as_it_takes_whatever_a_call_may_wait()
    {
        var options = Pools.Options(Plugin, workers: 1);
        options.QueueTimeout = TimeSpan.FromMilliseconds(100);
        await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
        var slow = await pool.MapAsync<long, long>("Slow", Numbers().Take(4)).ToListAsync().AsTask().Within("the map ends");
        Assert.Equal([0, 1, 2, 3], slow.Select(outcome => outcome.Value));
    }

    [Fact]
    public async Task Results_of_every_kind_and_size_arrive_between_short_ones()
    {
        await using var pool = await Pools.StartAsync(Plugin, workers: 2);
        var texts = await pool.MapAsync<long, string>("Text", Numbers()).ToListAsync().AsTask().Within("the map ends");
        Assert.All(texts, outcome => Assert.Equal(outcome.Index == 3_000 ? new string('x', 200_000) : $"{outcome.Index}", outcome.Value));
        var bytes = await pool.MapAsync<long, byte[]>("Bytes", Numbers()).ToListAsync().AsTask().Within("the map ends");
        Assert.All(bytes, outcome => Assert.Equal(outcome.Index % 3, outcome.Value.Length));
        var wrong = await pool.MapAsync<long, int[]>("Square", Numbers().Take(100)).ToListAsync().AsTask().Within("the map ends");
        Assert.All(wrong, outcome => Assert.Contains("cannot be read as int[]", Assert.IsType<CallArgumentException>(outcome.Error).Message));
    }

    [Fact]
    public async Task Items_of_every_kind_and_size_travel_between_short_ones()
    {
        await using var pool = await Pools.StartAsync(Plugin, workers: 2);
        var items = Enumerable.Range(0, Items).Select(object? (index) => (index % 1_000) switch
        {
            900 => null,
            901 => new string('y', 100_000),
            902 => CallArguments.Named(("value", "named")),
            903 => new Func<int>(() => 1),
            _ => index,
        });
        var outcomes = await pool.MapAsync<object?, object?>("Any", items).ToListAsync().AsTask().Within("the map ends");
        Assert.Equal(Items, outcomes.Count);
        foreach (var outcome in outcomes)
        {
            var expected = (outcome.Index % 1_000) switch { 900 => null, 901 => new string('y', 100_000), 902 => "named", _ => $"{outcome.Index}" };
            if (outcome.Index % 1_000 == 903)
            {
                Assert.IsType<CallArgumentException>(outcome.Error);
            }
            else
            {
                Assert.Equal(expected, outcome.Value?.ToString());
            }
        }
    }

    [Fact]
    public async Task A_stream_inside_an_item_is_read_once_and_arrives_whole()
    {
        await using var pool = await Pools.StartAsync(Plugin, workers: 2);
        var items = Enumerable.Range(0, Items).Select(index => new { Data = index % 100 == 99 ? new MemoryStream(new byte[index]) : null });
        var outcomes = await pool.MapAsync<object, long>("Length", items).ToListAsync().AsTask().Within("the map ends");
        Assert.All(outcomes, outcome => Assert.Equal(outcome.Index % 100 == 99 ? outcome.Index : 0, outcome.Value));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_consumer_that_leaves_in_the_middle_leaves_the_pool_ready(bool ordered)
    {
        await using var pool = await Pools.StartAsync(Plugin, workers: 2);
        for (var round = 0; round < 3; round++)
        {
            var taken = 0;
            await foreach (var outcome in pool.MapAsync<long, long>("Square", Numbers(), ordered))
            {
                Assert.Equal(outcome.Index * outcome.Index, outcome.Value);
                if (++taken == Items / 2)
                {
                    break;
                }
            }

            Assert.Equal(49, await pool.InvokeAsync<long>("Square", [7]).Within("the next call is served"));
        }
    }

    [Fact]
    public async Task What_was_read_does_not_wait_for_an_input_that_blocks()
    {
        await using var pool = await Pools.StartAsync(Plugin, workers: 2);
        Assert.Equal(Items, await pool.MapAsync<long, long>("Square", Numbers()).CountAsync().AsTask().Within("the first map ends"));

        // Each item is made of the outcome of the one before it: one that waits for others to go with would wait for ever.
        var outcomes = new System.Collections.Concurrent.BlockingCollection<long>();
        await FeedAsync().Within("the map ends");

        async Task FeedAsync()
        {
            await foreach (var outcome in pool.MapAsync<long, long>("Square", Feed()))
            {
                outcomes.Add(outcome.Value);
            }
        }

        IEnumerable<long> Feed()
        {
            yield return 1;
            for (var i = 0; i < 20; i++)
            {
                yield return outcomes.Take() + 1 - i * i;
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(Items)]
    public async Task What_an_item_leaves_on_its_thread_is_not_there_for_the_next_one(int items)
    {
        await using var pool = await Pools.StartAsync(Plugin);
        Assert.Equal(Items, await pool.MapAsync<long, string>("Ambient", Enumerable.Repeat(0L, Items)).CountAsync(outcome => outcome.Value == "").AsTask().Within("the map ends"));
        var outcomes = await pool.MapAsync<long, string>("Ambient", Enumerable.Repeat(1L, items)).ToListAsync().AsTask().Within("the map ends");
        Assert.All(outcomes, outcome => Assert.Equal("", outcome.Value));
    }

    [Fact]
    public async Task Items_that_ask_their_host_for_what_it_does_not_offer_and_do_not_wait_for_the_answer_end_like_others()
    {
        await using var pool = await Pools.StartAsync(Plugin, workers: 2);
        var outcomes = await pool.MapAsync<long, long>("Ask", Numbers().Take(500)).ToListAsync().AsTask().Within("the map ends");
        Assert.All(outcomes, outcome => Assert.Equal(outcome.Index, outcome.Value));
    }

    [Fact]
    public async Task Items_that_call_their_host_go_together_and_each_calls_it_once_though_a_worker_dies()
    {
        var ledger = new Ledger();
        var options = Pools.Options(Plugin, workers: 2).Expose<ILedger>(ledger);
        await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
        Pools.KnowToBeShort(pool, "Entered");
        var outcomes = await pool.MapAsync<long, long>("Entered", Numbers()).ToListAsync().AsTask().Within("the map ends");
        Assert.All(outcomes.Where(outcome => outcome.Index != 1_500), outcome => Assert.Equal(outcome.Index + 1, Math.Abs(outcome.Value)));
        Assert.Contains(outcomes, outcome => outcome.Value > 0);
        Assert.Equal(Execution.Started, Assert.IsType<WorkerCrashedException>(outcomes[1_500].Error).Execution);
        Assert.Equal(Numbers(), ledger.Entries.Order());
    }

    [Fact]
    public async Task A_map_that_the_pool_stops_ends_with_an_outcome_for_what_was_read_or_says_that_the_pool_stopped()
    {
        var pool = await Pools.StartAsync(Plugin, workers: 2);
        var seen = 0L;
        var rejected = await Assert.ThrowsAsync<CallRejectedException>(() => MapAsync().Within("the map ends"));
        Assert.Equal(RejectionReason.Stopped, rejected.Reason);

        async Task MapAsync()
        {
            await foreach (var outcome in pool.MapAsync<long, long>("Square", Endless()))
            {
                Assert.Equal(seen++, outcome.Index);
                Assert.True(outcome.Error is null or CallRejectedException { Reason: RejectionReason.Stopped }, $"Expected a value or a refusal, not {outcome.Error}.");
                if (outcome.Index == 1_000)
                {
                    _ = pool.StopAsync(drain: false);
                }
            }
        }
    }

    public interface ILedger
    {
        Task<long> EnterAsync(long value);
    }

    private sealed class Ledger : ILedger
    {
        public ConcurrentQueue<long> Entries { get; } = new();

        public Task<long> EnterAsync(long value)
        {
            Entries.Enqueue(value);
            return Task.FromResult(value + 1);
        }
    }

    private static IEnumerable<long> Numbers() => Enumerable.Range(0, Items).Select(index => (long)index);

    private static IEnumerable<long> Endless()
    {
        for (var i = 0L; ; i++)
        {
            yield return i & 0xFFFF;
        }
    }
}
