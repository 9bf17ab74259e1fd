using System.Diagnostics;
using ProcessPool.TestKit;

namespace ProcessPool.Soak;

/// <summary>Calls of every kind, good and bad, from many callers, while workers are killed: no call is lost, memory stays flat.</summary>
internal static class Soaks
{
    private static readonly (string EntryPoint, Func<CallArguments> Arguments, Type? Error)[] Kinds =
    [
        .. Enumerable.Repeat<(string, Func<CallArguments>, Type?)>(("Square", () => [3], null), 200),
        ("Bytes", () => [Random.Shared.Next(1_000_000)], null),
        ("Throw", () => [], typeof(PluginCallException)),
        ("Missing", () => [], typeof(CallArgumentException)),
        ("Square", () => ["x"], typeof(CallArgumentException)),
        ("Kill", () => [], typeof(WorkerCrashedException)),
        ("Segfault", () => [], typeof(WorkerCrashedException)),
        ("Exit", () => [0], typeof(WorkerCrashedException)),
        ("Wait", () => [], typeof(CallTimeoutException)),
        ("Spin", () => [], typeof(CallTimeoutException)),
    ];

    public static async Task<bool> RunAsync(double number)
    {
        var options = Faulty.Options();
        options.CallTimeout = TimeSpan.FromSeconds(2);
        options.Recycle = new RecyclePolicy { AfterCalls = 5_000 };
        options.Standby = 1;
        var end = Stopwatch.GetTimestamp() + (long)(number * 60 * Stopwatch.Frequency);
        long made = 0, settled = 0, wrong = 0, kills = 0;
        var outcomes = new System.Collections.Concurrent.ConcurrentDictionary<string, long>();
        var memory = new List<long>();
        await using (var pool = await SandboxPool.StartAsync(options))
        {
            var killing = Task.Run(async () =>
            {
                while (Stopwatch.GetTimestamp() < end)
                {
                    await Task.Delay(Random.Shared.Next(500, 3_000));
                    var workers = Sandboxes.Of(Environment.ProcessId);
                    kills += workers.Count > 0 && Sandboxes.Kill(workers[Random.Shared.Next(workers.Count)]) ? 1 : 0;
                    GC.Collect();
                    memory.Add(Environment.WorkingSet >> 20);
                }
            });
            await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(async () =>
            {
                while (Stopwatch.GetTimestamp() < end)
                {
                    var (entryPoint, arguments, expected) = Kinds[Random.Shared.Next(Kinds.Length)];
                    Interlocked.Increment(ref made);
                    Exception? error = null;
                    try
                    {
                        await pool.InvokeAsync(entryPoint, arguments());
                    }
                    catch (Exception exception)
                    {
                        error = exception;
                    }

                    Interlocked.Increment(ref settled);
                    outcomes.AddOrUpdate($"{entryPoint}: {error?.GetType().Name ?? "result"}", 1, (_, count) => count + 1);
                    // Any call may be the one that executes when its worker is killed from outside.
                    var isRight = error?.GetType() == expected || error is WorkerCrashedException { Reason: CrashReason.KilledFromOutside };
                    Interlocked.Add(ref wrong, isRight ? 0 : 1);
                    if (!isRight)
                    {
                        Console.WriteLine($"   {entryPoint}: expected {expected?.Name ?? "a result"}, got {error}");
                    }
                }
            })));
            await killing;
        }

        foreach (var (kind, count) in outcomes.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Console.WriteLine($"   {count,9} {kind}");
        }

        var early = memory.Skip(memory.Count / 10).Take(Math.Max(1, memory.Count / 10)).Average();
        var late = memory.TakeLast(Math.Max(1, memory.Count / 10)).Average();
        Console.WriteLine($"   {made} calls made, {settled} settled, {wrong} not as expected; {kills} workers killed; host memory {early:0} MB early, {late:0} MB late, {memory.Max()} MB at most");
        return made == settled && wrong == 0 && late < early * 1.25 + 20 && Sandboxes.Of(Environment.ProcessId).Count == 0;
    }
}
