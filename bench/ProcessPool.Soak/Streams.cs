using System.Diagnostics;
using System.Globalization;
using ProcessPool.TestKit;

namespace ProcessPool.Soak;

/// <summary>Long streams that are left in the middle grow neither side.</summary>
internal static class Streams
{
    private const int Warm = 10;

    public static async Task<bool> RunAsync(double number)
    {
        await using var pool = await SandboxPool.StartAsync(Faulty.Options(workers: 1));
        var whole = Stopwatch.GetTimestamp();
        var sum = 0L;
        await foreach (var item in pool.StreamAsync<long>("Count", [1_000_000]))
        {
            sum += item;
        }

        var seconds = Stopwatch.GetElapsedTime(whole).TotalSeconds;
        Console.WriteLine($"   1,000,000 items in {seconds:0.0} s, {1e6 / seconds:0} a second");
        var sandbox = Sandboxes.Of(Environment.ProcessId).Single();
        var before = (Host: 0L, Sandbox: 0L);
        for (var round = 0; round < number; round++)
        {
            await foreach (var item in pool.StreamAsync<long>("Count", [1_000_000]))
            {
                if (item == 500_000)
                {
                    break;
                }
            }

            if (round == Math.Min(Warm, (int)number - 1))
            {
                before = Measure(sandbox);
            }
        }

        var after = Measure(sandbox);
        var open = await pool.InvokeAsync<int>("Open");
        Console.WriteLine($"   {number} streams left at item 500,000: host {before.Host >> 10} → {after.Host >> 10} MB, sandbox {before.Sandbox >> 10} → {after.Sandbox >> 10} MB, {open} iterators open in the plugin");
        return sum == 499_999_500_000 && open == 0 && after.Host < before.Host * 1.2 + 20_480 && after.Sandbox < before.Sandbox * 1.2 + 20_480
            && Sandboxes.Of(Environment.ProcessId).Single() == sandbox;
    }

    // Resident memory in KiB.
    private static (long Host, long Sandbox) Measure(int sandbox)
    {
        GC.Collect();
        return (Resident(Environment.ProcessId), Resident(sandbox));
    }

    private static long Resident(int processId) => long.Parse(
        File.ReadLines($"/proc/{processId}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
