using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Faults;

/// <summary>One call of a hundred kills its worker: one failure and ninety-nine results, through every way of calling.</summary>
public sealed class BlameTests
{
    private const int Count = 100;
    private const int Deadly = 50;

    private static readonly string Plugin = PluginSource.Types("""
        public interface IWork { Task<long> DoAsync(long value); }
        [EntryPoint] public sealed class Work : IWork { public Task<long> DoAsync(long value) => Task.FromResult(Entry.Do(value)); }
        public static class Entry
        {
            [EntryPoint] public static long Do(long value) { if (value == 50) { kill(Environment.ProcessId, 9); Thread.Sleep(Timeout.Infinite); } return value; }
            [DllImport("libc")] private static extern int kill(int pid, int signal);
        }
        """, "Blamed");

    public interface IWork
    {
        Task<long> DoAsync(long value);
    }

    [Theory]
    [InlineData("Invoke")]
    [InlineData("InvokeAsync")]
    [InlineData("Post")]
    [InlineData("Batch")]
    [InlineData("Map in order")]
    [InlineData("Map as completed")]
    [InlineData("Proxy")]
    public async Task One_call_of_a_hundred_kills_its_worker(string way)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Calls kill of the C library.");
        await using var pool = await Pools.StartAsync(Plugin, workers: 2);
        var outcomes = await CallAsync(pool, way).Within("every call settles");
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (long)i), outcomes.Select(outcome => outcome.Index).Order());
        Assert.All(outcomes.Where(outcome => outcome.Index != Deadly), outcome => Assert.Equal(outcome.Index, outcome.Value));
        var crash = Assert.IsType<WorkerCrashedException>(outcomes.Single(outcome => outcome.Index == Deadly).Error);
        Assert.Equal((CrashReason.KilledFromOutside, "SIGKILL", Execution.Started), (crash.Reason, crash.Signal, crash.Execution));
    }

    private static async Task<IReadOnlyList<CallOutcome<long>>> CallAsync(SandboxPool pool, string way)
    {
        var numbers = Enumerable.Range(0, Count).Select(i => (long)i).ToList();
        switch (way)
        {
            case "Invoke":
                return await Task.WhenAll(numbers.Select(i => Task.Factory.StartNew(
                    () => OutcomeAsync(i, () => Task.FromResult(pool.Invoke<long>("Do", [i]))), default, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));
            case "InvokeAsync":
                return await Task.WhenAll(numbers.Select(i => OutcomeAsync(i, () => pool.InvokeAsync<long>("Do", [i]))));
            case "Proxy":
                var proxy = pool.GetProxy<IWork>();
                return await Task.WhenAll(numbers.Select(i => OutcomeAsync(i, () => proxy.DoAsync(i))));
            case "Post":
                return await Task.WhenAll(numbers.Select(i =>
                {
                    var done = new TaskCompletionSource<CallOutcome<long>>(TaskCreationOptions.RunContinuationsAsynchronously);
                    pool.Post<long>("Do", [i], value => done.SetResult(new(i, value, null)), error => done.SetResult(new(i, 0, error)));
                    return done.Task;
                }));
            case "Batch":
                var batch = pool.CreateBatch<long>(Count);
                numbers.ForEach(i => batch.Add("Do", [i]));
                return await batch.WaitAsync();
            default:
                return await pool.MapAsync<long, long>("Do", numbers, ordered: way == "Map in order").ToListAsync();
        }
    }

    private static async Task<CallOutcome<long>> OutcomeAsync(long index, Func<Task<long>> call)
    {
        try
        {
            return new(index, await call(), null);
        }
        catch (SandboxPoolException exception)
        {
            return new(index, 0, exception);
        }
    }
}
