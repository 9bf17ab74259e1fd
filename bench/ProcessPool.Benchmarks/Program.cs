using System.Diagnostics;
using System.Runtime.InteropServices;
using ProcessPool;
using ProcessPool.Benchmarks;

if (args is ["echo", var input, var output])
{
    PipeEcho.Serve(input, output);
    return;
}

const int Rounds = 5;
const int RoundTrips = 2_000;
const int Calls = 20_000;
const int InFlight = 1_024;
var echo = new Samples();
var call = new Samples();
var throughput = new List<double>();
var echoThroughput = new List<double>();
var hello = new Samples();
var start = new Samples();

for (var round = 0; round < Rounds; round++)
{
    await hello.TakeAsync(3, HelloAsync);
    for (var i = 0; i < 3; i++)
    {
        SandboxPool? started = null;
        await start.TakeAsync(1, async () => started = await StartAsync());
        await started!.DisposeAsync();
    }

    using (var floor = new PipeEcho())
    {
        await echo.TakeAsync(RoundTrips, () =>
        {
            floor.RoundTrip();
            return Task.CompletedTask;
        });
    }

    using (var one = new PipeEcho())
    using (var two = new PipeEcho())
    {
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(new[] { one, two }.Select(floor => Task.Run(() =>
        {
            for (var i = 0; i < Calls / 2; i++)
            {
                floor.RoundTrip();
            }
        })));
        echoThroughput.Add(Calls / Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    await using var pool = await SandboxPool.StartAsync(Options());
    for (var i = 0; i < RoundTrips; i++)
    {
        await pool.InvokeAsync<long>("Square", [i]);
    }

    await call.TakeAsync(RoundTrips, async () => await pool.InvokeAsync<long>("Square", [7]));
    throughput.Add(await ThroughputAsync(pool));
}

Console.WriteLine($"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors, .NET {Environment.Version}, {DateTime.UtcNow:yyyy-MM-dd}; medians of {Rounds} alternating rounds");
Console.WriteLine();
Console.WriteLine("| case | pool | floor | ratio |");
Console.WriteLine("|---|---|---|---|");
Row("round trip p50, tiny call, one at a time", call.Percentile(0.5), echo.Percentile(0.5), "µs", "raw pipe echo");
Row("round trip p99", call.Percentile(0.99), echo.Percentile(0.99), "µs", "raw pipe echo");
Row($"calls a second, {InFlight} in flight, 2 workers", Median(throughput), Median(echoThroughput), "/s", "two raw pipe echoes");
Row("pool of 2 created to first result", start.Percentile(0.5) / 1000, hello.Percentile(0.5) / 1000, "ms", "dotnet hello");

static SandboxPoolOptions Options() => new() { Plugin = Paths.Plugin, Workers = 2, AllowOversubscription = true, QueueCapacity = InFlight };

// Stopping is not part of what is timed.
static async Task<SandboxPool> StartAsync()
{
    var pool = await SandboxPool.StartAsync(Options());
    await pool.InvokeAsync<long>("Square", [7]);
    return pool;
}

static async Task HelloAsync()
{
    using var process = Process.Start(new ProcessStartInfo("dotnet") { ArgumentList = { Paths.Hello }, RedirectStandardOutput = true })!;
    await process.WaitForExitAsync();
}

static async Task<double> ThroughputAsync(SandboxPool pool)
{
    var began = Stopwatch.GetTimestamp();
    await Task.WhenAll(Enumerable.Range(0, InFlight).Select(async caller =>
    {
        for (var i = caller; i < Calls; i += InFlight)
        {
            await pool.InvokeAsync<long>("Square", [i]);
        }
    }));
    return Calls / Stopwatch.GetElapsedTime(began).TotalSeconds;
}

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

static void Row(string name, double pool, double floor, string unit, string what) =>
    Console.WriteLine($"| {name} | {pool:0.#} {unit} | {floor:0.#} {unit} ({what}) | {pool / floor:0.00}× |");
