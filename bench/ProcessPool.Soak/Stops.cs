using System.Diagnostics;
using ProcessPool.TestKit;

namespace ProcessPool.Soak;

/// <summary>A stop ends in time, whatever the worker does.</summary>
internal static class Stops
{
    public static async Task<bool> RunAsync(double number)
    {
        await using var pool = await SandboxPool.StartAsync(Faulty.Options(workers: 1));
        var worker = await pool.InvokeAsync<int>("ProcessId");
        var spinning = pool.InvokeAsync("Spin");
        using (var terminate = Process.Start("kill", ["-TERM", $"{worker}"]))
        {
            await terminate.WaitForExitAsync();
        }

        var began = Stopwatch.GetTimestamp();
        var report = await pool.StopAsync(drain: true, TimeSpan.FromSeconds(number));
        var took = Stopwatch.GetElapsedTime(began);
        var alive = Sandboxes.IsAlive(worker);
        await ((Task)spinning).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Console.WriteLine($"   stop({number} s) returned after {took.TotalSeconds:0.00} s with {report}; the process is {(alive ? "ALIVE" : "gone")}");
        return took < TimeSpan.FromSeconds(number + 1) && !alive;
    }
}
