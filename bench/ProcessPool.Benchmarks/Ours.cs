using System.Diagnostics;
using System.Runtime;
using ProcessPool;

namespace ProcessPool.Benchmarks;

/// <summary>The pool's side of each case. Runs in a process of its own, as the peers do, and reports figures by name.</summary>
internal static class Ours
{
    /// <summary>How long calls are made before they are measured, of everybody.</summary>
    public static readonly TimeSpan WarmTime = TimeSpan.FromSeconds(2);

    private const int WarmUp = 20_000;
    private const int Singles = 50_000;
    private const int LargestMessage = 256 * 1024 * 1024;

    public static Task<Dictionary<string, double>> RunAsync(string @case, int? count) => @case switch
    {
        "roundtrip" => RoundTripAsync(count ?? 20_000),
        "singles" => SinglesAsync(count ?? Singles),
        "bulk" => BulkAsync(count ?? 200_000),
        "bytes" => BytesAsync(count ?? 30),
        "start" => StartAsync(),
        "crash" => CrashAsync(),
        "memory" => MemoryAsync(),
        "cpu" => CpuAsync(count ?? 200),
        "scale" => ScaleAsync(count ?? 10_000),
        "levels" => Levels.RunAsync(),
        "listeners" => Listeners.RunAsync(),
        "safety" => SafetyOptions.RunAsync(),
        _ => throw new ArgumentException($"There is no case '{@case}'."),
    };

    private static SandboxPoolOptions Options(int workers = 2) =>
        new() { Plugin = Paths.Plugin, Workers = workers, AllowOversubscription = true, MaxMessageBytes = LargestMessage, QueueCapacity = Singles, Confinement = Levels.Asked };

    private static async Task<Dictionary<string, double>> RoundTripAsync(int count)
    {
        await using var pool = await SandboxPool.StartAsync(Options());
        var begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < WarmTime)
        {
            await pool.InvokeAsync<int>("Square", [7]);
        }

        var times = new Samples();
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < count; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await pool.InvokeAsync<int>("Square", [7]);
            times.Add(Stopwatch.GetElapsedTime(began));
        }

        return new()
        {
            ["p50_us"] = times.Percentile(0.5),
            ["p99_us"] = times.Percentile(0.99),
            ["allocated_bytes"] = (GC.GetTotalAllocatedBytes(precise: true) - allocated) / (double)count,
        };
    }

    private static async Task<Dictionary<string, double>> SinglesAsync(int count)
    {
        await using var pool = await SandboxPool.StartAsync(Options());
        await pool.InvokeAsync<int>("Square", [7]);
        var rates = new List<double>();
        for (var round = 0; round < 6; round++)
        {
            var began = Stopwatch.GetTimestamp();
            var calls = new Task<int>[count];
            for (var i = 0; i < count; i++)
            {
                calls[i] = pool.InvokeAsync<int>("Square", [i & 0xFF]);
            }

            await Task.WhenAll(calls);
            rates.Add(count / Stopwatch.GetElapsedTime(began).TotalSeconds);
            if (Array.FindIndex(calls, call => call.Result < 0) >= 0)
            {
                throw new InvalidOperationException("A result is wrong.");
            }
        }

        return new() { ["cold_calls_per_s"] = rates[0], ["calls_per_s"] = rates.Skip(3).Order().ElementAt(1) };
    }

    private static async Task<Dictionary<string, double>> BulkAsync(int count)
    {
        await using var pool = await SandboxPool.StartAsync(Options());
        var maps = new List<double>();
        var batches = new List<double>();
        for (var round = 0; round < 10; round++)
        {
            var began = Stopwatch.GetTimestamp();
            await foreach (var outcome in pool.MapAsync<int, int>("Square", Enumerable.Range(0, count).Select(i => i & 0xFF)))
            {
                _ = outcome.Value;
            }

            maps.Add(count / Stopwatch.GetElapsedTime(began).TotalSeconds);
            began = Stopwatch.GetTimestamp();
            var batch = pool.CreateBatch<int>(count);
            for (var i = 0; i < count; i++)
            {
                await batch.AddAsync("Square", [i & 0xFF]);
            }

            _ = (await batch.WaitAsync()).GetValues();
            batches.Add(count / Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        return new() { ["cold_calls_per_s"] = maps[0], ["calls_per_s"] = Warm(maps), ["batch_calls_per_s"] = Warm(batches) };

        static double Warm(List<double> rates) => rates.Skip(5).Order().ElementAt(2);
    }

    private static async Task<Dictionary<string, double>> BytesAsync(int count)
    {
        await using var pool = await SandboxPool.StartAsync(Options());
        return new() { ["mib_1"] = await EchoAsync(1, count), ["mib_64"] = await EchoAsync(64, Math.Max(3, count / 10)) };

        async Task<double> EchoAsync(int mebibytes, int times)
        {
            var bytes = new byte[mebibytes << 20];
            var rates = new List<double>();
            for (var i = 0; i <= times; i++)
            {
                var began = Stopwatch.GetTimestamp();
                await pool.InvokeAsync<byte[]>("Echo", [bytes]);
                rates.Add(2 * mebibytes / Stopwatch.GetElapsedTime(began).TotalSeconds);
            }

            return rates.Skip(1).Order().ElementAt(times / 2);
        }
    }

    /// <param name="minWorkers">How many workers the start waits for; null: all.</param>
    public static async Task<Dictionary<string, double>> StartAsync(int? minWorkers = null)
    {
        var began = Stopwatch.GetTimestamp();
        var options = Options();
        options.MinWorkers = minWorkers;
        await using var pool = await SandboxPool.StartAsync(options);
        await pool.InvokeAsync<int>("Square", [7]);
        return new()
        {
            ["create_ms"] = Stopwatch.GetElapsedTime(began).TotalMilliseconds,
            ["compiled_host"] = JitInfo.GetCompiledMethodCount(),
            ["compiled_sandbox"] = await pool.InvokeAsync<long>("Compiled"),
        };
    }

    private static async Task<Dictionary<string, double>> CrashAsync() =>
        new() { ["next_result_ms"] = await AfterCrashAsync(standby: 0), ["standby_ms"] = await AfterCrashAsync(standby: 1) };

    private static async Task<double> AfterCrashAsync(int standby)
    {
        var options = Options(workers: 1);
        options.Standby = standby;
        options.Restart = new RestartPolicy { MaxRestarts = 100 };
        await using var pool = await SandboxPool.StartAsync(options);
        var times = new List<double>();
        for (var i = 0; i < 5; i++)
        {
            await pool.InvokeAsync<int>("Square", [7]);
            await Task.Delay(TimeSpan.FromSeconds(2));
            var began = Stopwatch.GetTimestamp();
            try
            {
                await pool.InvokeAsync("Die");
            }
            catch (WorkerCrashedException)
            {
                await pool.InvokeAsync<int>("Square", [7]);
            }

            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        return times.Order().ElementAt(2);
    }

    private static async Task<Dictionary<string, double>> MemoryAsync()
    {
        await using var pool = await SandboxPool.StartAsync(Options());
        for (var i = 0; i < 2_000; i++)
        {
            await pool.InvokeAsync<int>("Square", [7]);
        }

        var workers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => pool.MeasureAsync<int>("Burn", [50])));
        await Task.Delay(TimeSpan.FromSeconds(1));
        return new() { ["pss_mib"] = workers.Select(worker => worker.ProcessId!.Value).Distinct().Average(Processes.ProportionalSetMebibytes) };
    }

    private static async Task<Dictionary<string, double>> CpuAsync(int count)
    {
        await using var pool = await SandboxPool.StartAsync(Options());

        // Until the runtime has compiled what it compiles: that takes a processor of two for some seconds.
        for (var round = 0; round < 4; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, count).Select(_ => pool.InvokeAsync<int>("Burn", [10])));
            await Task.Delay(TimeSpan.FromMilliseconds(500));
        }

        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            EchoPlugin.Entry.Burn(20);
        }

        var alone = Stopwatch.GetElapsedTime(began);
        began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => pool.InvokeAsync<int>("Burn", [20])));
        return new() { ["speedup"] = alone / Stopwatch.GetElapsedTime(began) };
    }

    /// <summary>Calls that sleep: what the host itself uses for each, with one worker and with many.</summary>
    private static async Task<Dictionary<string, double>> ScaleAsync(int callers)
    {
        var figures = new Dictionary<string, double>();
        await using (var pool = await SandboxPool.StartAsync(Options()))
        {
            // Until the runtime has compiled what it compiles.
            await Task.WhenAll(Enumerable.Range(0, 2 * WarmUp).Select(_ => pool.InvokeAsync<int>("Square", [7])));
            await Task.WhenAll(Enumerable.Range(0, 2_000).Select(_ => pool.InvokeAsync("Wait", [1])));
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        foreach (var workers in new[] { 1, 64 })
        {
            await using var pool = await SandboxPool.StartAsync(Options(workers));
            var calls = Math.Min(callers, workers * 2_000);
            await Task.WhenAll(Enumerable.Range(0, workers * 20).Select(_ => pool.InvokeAsync("Wait", [1])));
            var before = Environment.CpuUsage.TotalTime;
            await Task.WhenAll(Enumerable.Range(0, calls).Select(_ => pool.InvokeAsync("Wait", [2])));
            figures[$"host_us_{workers}"] = (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / calls;
        }

        return figures;
    }
}
