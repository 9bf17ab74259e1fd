using System.Diagnostics;
using System.Globalization;
using ProcessPool.TestKit;

namespace ProcessPool.Soak;

/// <summary>The host is killed while workers spin and have descendants, one of them outside the process tree.</summary>
internal static class Orphans
{
    public static async Task<bool> RunAsync(double number)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, Environment = { ["SOAK_MARK"] = "1" } };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(Orphans).Assembly.Location);
        }

        foreach (var argument in new[] { "host", Faulty.Plugin, number.ToString(CultureInfo.InvariantCulture) })
        {
            start.ArgumentList.Add(argument);
        }

        using var host = Process.Start(start)!;
        for (var i = 0; i < number; i++)
        {
            await host.StandardOutput.ReadLineAsync();
        }

        var family = Sandboxes.Marked("SOAK_MARK=1").Where(id => id != host.Id && id != Environment.ProcessId).ToList();
        var began = Stopwatch.GetTimestamp();
        host.Kill();
        while (family.Any(Sandboxes.IsAlive) && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30))
        {
            await Task.Delay(10);
        }

        var took = Stopwatch.GetElapsedTime(began);
        Console.WriteLine($"   {family.Count} processes ({number} sandboxes with 2 descendants each); all gone {took.TotalMilliseconds:0} ms after the host's SIGKILL");
        return family.Count >= 3 * number && took < TimeSpan.FromSeconds(2);
    }

    /// <summary>The host that will be killed: a line for each worker that spins.</summary>
    public static async Task HostAsync(string plugin, int workers)
    {
        var log = new RecordingLogger();
        var options = new SandboxPoolOptions { Plugin = plugin, Workers = workers, AllowOversubscription = true, Logger = log };
        var pool = await SandboxPool.StartAsync(options);
        for (var i = 0; i < workers; i++)
        {
            _ = pool.InvokeAsync("SpinWithChildren");
        }

        for (var i = 0; i < workers; i++)
        {
            await log.WaitForAsync(line => line.EndsWith($"-{i}: spinning", StringComparison.Ordinal), "a worker spins");
            Console.WriteLine("spins");
        }

        await Task.Delay(Timeout.Infinite);
    }
}
