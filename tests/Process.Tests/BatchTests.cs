using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>Batches of many short calls: whatever goes together, each call ends as if it had been made alone.</summary>
public sealed class BatchTests
{
    private const int Calls = 4_000;

    private static readonly string Plugin = PluginSource.Members("""
        private static long s_counted;
        [EntryPoint] public static long Count() => s_counted;
        [EntryPoint] public static long Odd(long value)
        {
            if (value == 1_500) { kill(Environment.ProcessId, 9); Thread.Sleep(Timeout.Infinite); }
            if (value == 2_500) { throw new InvalidOperationException("not this one"); }
            s_counted++;
            return value;
        }
        [EntryPoint] public static string Text(string value, int times = 1) => string.Concat(Enumerable.Repeat(value, times));
        [EntryPoint] public static int Length(byte[] value) => value.Length;
        [DllImport("libc")] private static extern int kill(int pid, int signal);
        """, "Batched");

    [Fact]
    public async Task Of_many_calls_only_the_deadly_one_and_the_one_that_throws_fail()
    {
        await using var pool = await Pools.StartAsync(Plugin, workers: 2);
        var batch = pool.CreateBatch<long>(Calls);
        await AddAsync(batch, "Odd", Calls);
        var outcomes = await batch.WaitAsync().Within("the batch ends");
        Assert.Equal(Enumerable.Range(0, Calls).Select(index => (long)index), outcomes.Select(outcome => outcome.Index));
        OddCalls.Check(outcomes);
    }

    [Fact]
    public async Task Calls_of_every_kind_and_size_go_between_short_ones()
    {
        await using var pool = await Pools.StartAsync(Plugin, workers: 2);
        var batch = pool.CreateBatch<object?>(Calls);
        for (var i = 0; i < Calls; i++)
        {
            (string EntryPoint, CallArguments Arguments) call = (i % 1_000) switch
            {
                900 => ("Length", [new byte[100_000]]),
                901 => ("NoSuch", CallArguments.None),
                902 => ("Text", CallArguments.Named(("times", 2), ("value", "named"))),
                903 => ("Text", CallArguments.FromJson("""{"value":"json"}""")),
                904 => ("Text", CallArguments.FromJson("no json")),
                905 => ("Text", [new Func<int>(() => 1)]),
                906 => ("Length", [new MemoryStream(new byte[1_000])]),
                _ => ("Text", [$"{i}"]),
            };
            await batch.AddAsync(call.EntryPoint, call.Arguments);
        }

        var outcomes = await batch.WaitAsync().Within("the batch ends");
        foreach (var outcome in outcomes)
        {
            var expected = (outcome.Index % 1_000) switch { 900 => "100000", 902 => "namednamed", 903 => "json", 906 => "1000", _ => $"{outcome.Index}" };
            if (outcome.Index % 1_000 is 901 or 904 or 905)
            {
                Assert.IsType<CallArgumentException>(outcome.Error);
            }
            else
            {
                Assert.True(outcome.Succeeded, $"Expected call {outcome.Index} to succeed, got {outcome.Error}");
                Assert.Equal(expected, $"{outcome.Value}");
            }
        }
    }

    [Fact]
    public async Task Calls_are_made_before_the_batch_is_full()
    {
        await using var pool = await Pools.StartAsync(Plugin);
        var batch = pool.CreateBatch<long>(Calls);
        await AddAsync(batch, "Odd", 1_000);
        await Until.HoldsAsync(() => pool.Invoke<long>("Count") == 1_000, "the calls are made");
        batch.Complete();
        Assert.Equal(1_000, (await batch.WaitAsync().Within("the batch ends")).GetValues().Count);
    }

    [Fact]
    public async Task Many_threads_fill_one_batch_and_each_call_has_its_outcome()
    {
        await using var pool = await Pools.StartAsync(Plugin, workers: 2);
        var batch = pool.CreateBatch<string>(Calls);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(async () =>
        {
            for (var i = thread; i < Calls; i += 4)
            {
                await batch.AddAsync("Text", [$"{i}"]);
            }
        }))).Within("all are added");
        var values = (await batch.WaitAsync().Within("the batch ends")).GetValues();
        Assert.Equal(Enumerable.Range(0, Calls), values.Select(int.Parse).Order());
    }

    private static async Task AddAsync(CallBatch<long> batch, string entryPoint, int calls)
    {
        for (var i = 0; i < calls; i++)
        {
            await batch.AddAsync(entryPoint, [i]);
        }
    }
}
