using System.Diagnostics;
using ProcessPool;

namespace ProcessPool.Benchmarks;

/// <summary>What the options cost that make a pool safe to run: many short calls, without and with each, in turn.</summary>
internal static class SafetyOptions
{
    private const int Rounds = 9;
    private const int Singles = 20_000;
    private const int Items = 100_000;

    private static readonly (string Name, Action<SandboxPoolOptions> Set)[] All =
    [
        ("none", _ => { }),
        ("call", options => options.CallTimeout = TimeSpan.FromSeconds(30)),
        ("queue", options => options.QueueTimeout = TimeSpan.FromSeconds(30)),
        ("recycle", options => (options.Recycle, options.Standby) = (new RecyclePolicy { AfterCalls = 10_000 }, 2)),
        ("services", options => options.Expose<IOffered>(new Offered())),
    ];

    public interface IOffered
    {
        Task AskAsync();
    }

    public static async Task<Dictionary<string, double>> RunAsync()
    {
        var figures = new Dictionary<string, List<double>>();
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var (name, set) in All)
            {
                var options = new SandboxPoolOptions { Plugin = Paths.Plugin, Workers = 2, QueueCapacity = Singles };
                set(options);
                await using var pool = await SandboxPool.StartAsync(options);

                // The first ones tell how short the calls are.
                await SinglesAsync(pool);
                Add($"{name}_calls_per_s", Singles / (await SinglesAsync(pool)).TotalSeconds);
                await MapAsync(pool);
                Add($"{name}_map_per_s", Items / (await MapAsync(pool)).TotalSeconds);
            }
        }

        return figures.ToDictionary(figure => figure.Key, figure => figure.Value.Order().ElementAt(Rounds / 2));

        void Add(string figure, double value) => (figures.TryGetValue(figure, out var values) ? values : figures[figure] = []).Add(value);
    }

    private static async Task<TimeSpan> SinglesAsync(SandboxPool pool)
    {
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Singles).Select(i => pool.InvokeAsync<int>("Square", [i & 0xFF])));
        return Stopwatch.GetElapsedTime(began);
    }

    private static async Task<TimeSpan> MapAsync(SandboxPool pool)
    {
        var began = Stopwatch.GetTimestamp();
        await foreach (var outcome in pool.MapAsync<int, int>("Square", Enumerable.Range(0, Items).Select(i => i & 0xFF)))
        {
            _ = outcome.Value;
        }

        return Stopwatch.GetElapsedTime(began);
    }

    private sealed class Offered : IOffered
    {
        public Task AskAsync() => Task.CompletedTask;
    }
}
