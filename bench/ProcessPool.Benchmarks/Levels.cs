using System.Diagnostics;
using ProcessPool;

namespace ProcessPool.Benchmarks;

/// <summary>What confinement costs: starts and round trips at each level, in turn.</summary>
internal static class Levels
{
    private const int Starts = 20;
    private const int Calls = 20_000;

    private static readonly (string Name, ConfinementPolicy Policy)[] All =
    [
        ("none", ConfinementPolicy.None), ("limits", ConfinementPolicy.Limits), ("limits_memory", ConfinementPolicy.Limits with { MemoryLimit = 1L << 30 }),
        ("restricted", ConfinementPolicy.Restricted), ("strict", ConfinementPolicy.Strict),
    ];

    /// <summary>Set for the programs of a run, to the level at which ours runs.</summary>
    public const string Variable = "PROCESSPOOL_BENCH_LEVEL";

    /// <summary>At which level ours runs; the default when nothing was asked for.</summary>
    public static ConfinementPolicy Asked { get; } = Environment.GetEnvironmentVariable(Variable) switch
    {
        "none" => ConfinementPolicy.None,
        "restricted" => ConfinementPolicy.Restricted,
        "strict" => ConfinementPolicy.Strict,
        _ => ConfinementPolicy.Limits,
    };

    public static async Task<Dictionary<string, double>> RunAsync()
    {
        var starts = All.ToDictionary(level => level.Name, _ => new Samples());
        for (var round = -2; round < Starts; round++)
        {
            foreach (var (name, policy) in All)
            {
                var began = Stopwatch.GetTimestamp();
                await using var pool = await StartAsync(policy);
                await pool.InvokeAsync<int>("Square", [7]);
                if (round >= 0)
                {
                    starts[name].Add(Stopwatch.GetElapsedTime(began));
                }
            }
        }

        var figures = starts.ToDictionary(start => $"{start.Key}_start_ms", start => start.Value.Percentile(0.5) / 1_000);
        foreach (var (name, policy) in All)
        {
            figures[$"{name}_p50_us"] = await RoundTripAsync(policy);
        }

        return figures;
    }

    private static async Task<double> RoundTripAsync(ConfinementPolicy policy)
    {
        await using var pool = await StartAsync(policy);
        var times = new Samples();
        for (var i = -Calls; i < Calls; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await pool.InvokeAsync<int>("Square", [7]);
            if (i >= 0)
            {
                times.Add(Stopwatch.GetElapsedTime(began));
            }
        }

        return times.Percentile(0.5);
    }

    private static Task<SandboxPool> StartAsync(ConfinementPolicy policy) => SandboxPool.StartAsync(new() { Plugin = Paths.Plugin, Workers = 1, Confinement = policy });
}
