using System.Diagnostics;

namespace ProcessPool.Soak;

/// <summary>What a plugin prints costs the host time, not memory.</summary>
internal static class Floods
{
    public static async Task<bool> RunAsync(double number)
    {
        await using var pool = await SandboxPool.StartAsync(Faulty.Options(workers: 1));
        await pool.InvokeAsync("Print", [10L << 20]);
        var before = Environment.WorkingSet;
        var began = Stopwatch.GetTimestamp();
        var flood = pool.InvokeAsync("Print", [(long)number << 20]);
        var peak = before;
        while (!flood.IsCompleted)
        {
            await Task.Delay(100);
            peak = Math.Max(peak, Environment.WorkingSet);
        }

        await flood;
        Console.WriteLine($"   {number} MB in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s; host memory {before >> 20} MB before, {peak >> 20} MB at most");
        return peak - before < 100L << 20 && await pool.InvokeAsync<long>("Square", [3]) == 9;
    }
}
