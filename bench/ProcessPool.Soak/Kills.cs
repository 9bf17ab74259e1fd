using System.Diagnostics;
using System.Globalization;
using ProcessPool.TestKit;

namespace ProcessPool.Soak;

/// <summary>Every call settles exactly once, and only calls that were executing fail, while workers are killed from outside.</summary>
internal static class Kills
{
    public static async Task<bool> RunAsync(double number)
    {
        var settled = new int[(int)number];
        var failures = new Dictionary<string, int>();
        var wrong = 0;
        var kills = 0;
        var began = Stopwatch.GetTimestamp();
        var log = new RecordingLogger();
        await using (var pool = await SandboxPool.StartAsync(Faulty.Options(log: log)))
        {
            using var stop = new CancellationTokenSource();
            var killing = Task.Run(async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    // The next worker that becomes ready, some time later: whatever it is doing then.
                    var line = await log.WaitForAsync(line => line.EndsWith("is ready.", StringComparison.Ordinal), "a worker is ready");
                    log.Clear();
                    await Task.Delay(Random.Shared.Next(300));
                    kills += Sandboxes.Kill(int.Parse(line.Split("(pid ")[1].Split(')')[0], CultureInfo.InvariantCulture)) ? 1 : 0;
                }
            });
            using var left = new CountdownEvent(settled.Length);
            for (var i = 0; i < settled.Length; i++)
            {
                var index = i;
                pool.Post<long>("Work", [index], value => Settle(index, value == (long)index * index ? null : new InvalidDataException()), error => Settle(index, error));
            }

            if (!left.Wait(TimeSpan.FromMinutes(30)))
            {
                Console.WriteLine($"   {left.CurrentCount} calls never settled");
            }

            await stop.CancelAsync();
            await killing;

            void Settle(int index, Exception? error)
            {
                if (Interlocked.Increment(ref settled[index]) == 1)
                {
                    left.Signal();
                }

                if (error is not null)
                {
                    lock (failures)
                    {
                        var execution = (error as SandboxPoolException)?.Execution;
                        var kind = $"{error.GetType().Name} {(error as WorkerCrashedException)?.Reason} {execution}";
                        failures[kind] = failures.GetValueOrDefault(kind) + 1;
                        wrong += error is WorkerCrashedException { Reason: CrashReason.KilledFromOutside, Execution: Execution.Started } ? 0 : 1;
                    }
                }
            }
        }

        var failed = failures.Values.Sum();
        Console.WriteLine($"   {settled.Length} calls in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, {kills} workers killed; settled once: {settled.Count(count => count == 1)}, never: {settled.Count(count => count == 0)}, more than once: {settled.Count(count => count > 1)}");
        Console.WriteLine($"   failed: {failed} ({string.Join(", ", failures.Select(pair => $"{pair.Value} {pair.Key}"))})");
        return settled.All(count => count == 1) && wrong == 0 && failed <= kills;
    }
}
