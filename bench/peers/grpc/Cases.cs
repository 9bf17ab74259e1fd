using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;

namespace GrpcPeer;

/// <summary>What is measured, as at the other peers.</summary>
internal static class Cases
{
    private const int Workers = 2;
    private const int WarmUp = 2_000;
    private const int WarmSeconds = 2;
    private const int MiB = 1024 * 1024;

    public static async Task<Dictionary<string, object?>> RoundTripAsync(int count)
    {
        var workers = await Task.WhenAll(WorkerProcess.Start(Workers));
        var begin = Stopwatch.GetTimestamp();
        for (var value = 0; value < WarmUp || Stopwatch.GetElapsedTime(begin).TotalSeconds < WarmSeconds; value++)
        {
            await SquareAsync(workers[0], value);
        }

        var times = new double[count];
        for (var value = 0; value < count; value++)
        {
            var start = Stopwatch.GetTimestamp();
            await SquareAsync(workers[0], value);
            times[value] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }

        await StopAsync(workers);
        Array.Sort(times);
        return new() { ["p50_us"] = Percentile(times, 50), ["p99_us"] = Percentile(times, 99) };
    }

    /// <summary>The first round is the cold one; then the median of up to three more, as many as begin within three seconds.</summary>
    public static async Task<Dictionary<string, object?>> SinglesAsync(int count)
    {
        var workers = await Task.WhenAll(WorkerProcess.Start(Workers));
        await Task.WhenAll(workers.Select(worker => SquareAsync(worker, 0)));
        var cold = await RateAsync(workers, count);
        var warm = new List<double>();
        var begin = Stopwatch.GetTimestamp();
        while (warm.Count == 0 || (warm.Count < 3 && Stopwatch.GetElapsedTime(begin).TotalSeconds < 3))
        {
            warm.Add(await RateAsync(workers, count));
        }

        await StopAsync(workers);
        return new() { ["calls_per_s"] = Math.Round(Median(warm)), ["cold_calls_per_s"] = Math.Round(cold) };
    }

    /// <summary>
    /// MiB/s of an echo, both ways counted; <paramref name="count"/> echoes of 1 MiB, a tenth as many (at least three) of 64 MiB.
    /// The caller has an array and wants one: the message that goes out refers to it, the one that comes back is read in place.
    /// </summary>
    public static async Task<Dictionary<string, object?>> BytesAsync(int count)
    {
        var workers = await Task.WhenAll(WorkerProcess.Start(Workers));
        var one = await EchoRateAsync(workers[0], 1, count);
        var many = await EchoRateAsync(workers[0], 64, Math.Max(3, count / 10));
        await StopAsync(workers);
        return new() { ["mib_1"] = one, ["mib_64"] = many };
    }

    /// <summary>From the start of the workers to the first result of the one that is ready first.</summary>
    public static async Task<Dictionary<string, object?>> StartAsync()
    {
        var begin = Stopwatch.GetTimestamp();
        var starting = WorkerProcess.Start(Workers);
        await SquareAsync(await await Task.WhenAny(starting), 3);
        var milliseconds = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        await StopAsync(await Task.WhenAll(starting));
        return new() { ["create_ms"] = Math.Round(milliseconds, 2) };
    }

    public static async Task<Dictionary<string, object?>> MemoryAsync()
    {
        var workers = await Task.WhenAll(WorkerProcess.Start(Workers));
        await RateAsync(workers, WarmUp);
        await Task.Delay(500);
        var kib = workers.Select(worker => Pss(worker.Pid)).ToList();
        await StopAsync(workers);
        return new() { ["pss_mib"] = Math.Round(kib.Average() / 1024, 1) };
    }

    private static async Task<double> RateAsync(WorkerProcess[] workers, int count)
    {
        var start = Stopwatch.GetTimestamp();
        var results = await Task.WhenAll(Enumerable.Range(0, count).Select(value => SquareAsync(workers[value % workers.Length], value)));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        for (var value = 0; value < count; value++)
        {
            if (results[value] != (long)value * value)
            {
                throw new InvalidOperationException("a result is wrong");
            }
        }

        return count / seconds;
    }

    private static async Task<long> SquareAsync(WorkerProcess worker, long value) =>
        (await worker.Client.SquareAsync(new Number { Value = value })).Value;

    private static async Task<double> EchoRateAsync(WorkerProcess worker, int mib, int count)
    {
        var data = new byte[mib * MiB];
        Random.Shared.NextBytes(data);
        if (!(await EchoAsync(worker, data)).Span.SequenceEqual(data))
        {
            throw new InvalidOperationException("the echo differs");
        }

        var times = new List<double>();
        for (var i = 0; i < count; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var result = await EchoAsync(worker, data);
            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            if (result.Length != data.Length)
            {
                throw new InvalidOperationException("the echo is shorter");
            }
        }

        return Math.Round(2 * mib / Median(times));
    }

    private static async Task<ReadOnlyMemory<byte>> EchoAsync(WorkerProcess worker, byte[] data) =>
        (await worker.Client.EchoAsync(new Data { Value = UnsafeByteOperations.UnsafeWrap(data) })).Value.Memory;

    private static async Task StopAsync(WorkerProcess[] workers)
    {
        foreach (var worker in workers)
        {
            await worker.DisposeAsync();
        }
    }

    private static double Percentile(double[] sorted, int percent) => Math.Round(sorted[(sorted.Length - 1) * percent / 100], 1);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static int Pss(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/smaps_rollup").First(line => line.StartsWith("Pss:", StringComparison.Ordinal));
        return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
