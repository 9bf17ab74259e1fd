using System.Diagnostics;
using ProcessPool.TestKit;

namespace ProcessPool.Soak;

/// <summary>A death is seen at once, however many processes were started meanwhile that may have inherited the dead one's pipes.</summary>
internal static class Spawns
{
    public static async Task<bool> RunAsync(double number)
    {
        using var stop = new CancellationTokenSource();
        var unrelated = Task.Run(async () =>
        {
            var others = new List<Process>();
            while (!stop.IsCancellationRequested && others.Count < 500)
            {
                others.Add(Process.Start("sleep", "1000"));
                await Task.Delay(10);
            }

            return others;
        });
        var logs = new[] { new RecordingLogger(), new RecordingLogger() };
        var pools = await Task.WhenAll(logs.Select(log => Task.Run(() => SandboxPool.StartAsync(Faulty.Options((int)number, log)))));
        await stop.CancelAsync();
        var others = await unrelated;
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < pools.Length; i++)
        {
            var victim = await pools[i].InvokeAsync<int>("ProcessId");
            var began = Stopwatch.GetTimestamp();
            Sandboxes.Kill(victim);
            await logs[i].WaitForAsync(line => line.Contains($"(pid {victim}) died", StringComparison.Ordinal), "the death is seen");
            var took = Stopwatch.GetElapsedTime(began);
            slowest = took > slowest ? took : slowest;
        }

        foreach (var pool in pools)
        {
            await pool.DisposeAsync();
        }

        foreach (var other in others)
        {
            other.Kill();
            other.Dispose();
        }

        Console.WriteLine($"   2 × {number} workers beside {others.Count} other processes; death seen after {slowest.TotalMilliseconds:0} ms at most");
        return slowest < TimeSpan.FromSeconds(1);
    }
}
