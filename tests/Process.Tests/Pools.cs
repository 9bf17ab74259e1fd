using Xunit.Sdk;
using Xunit.v3;
using ProcessPool.TestKit;

[assembly: AssemblyFixture(typeof(ProcessPool.Process.Tests.NoSandboxLeft))]
// Most of a test's time is waiting for processes: some classes at a time take half as long as one.
[assembly: Parallelization(Mode = ParallelMode.Collections, MaxThreads = 5)]

namespace ProcessPool.Process.Tests;

/// <summary>Before all tests, and after: fails the run when one has left a sandbox behind.</summary>
public sealed class NoSandboxLeft : IDisposable
{
    // A child of a test lives for seconds: what is compiled a second time in the background, and pages that change between writing and running, are a fifth of its cost.
    public NoSandboxLeft()
    {
        Environment.SetEnvironmentVariable("DOTNET_TC_CallCounting", "0");
        Environment.SetEnvironmentVariable("DOTNET_EnableWriteXorExecute", "0");
    }

    public void Dispose()
    {
        if (OperatingSystem.IsLinux() && Sandboxes.Of(Environment.ProcessId) is { Count: > 0 } left)
        {
            throw new InvalidOperationException($"Expected no sandbox to be left; these are alive: {string.Join(", ", left)}.");
        }
    }
}

/// <summary>For tests that count what the whole test program has open, or change its environment.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Pools for tests.</summary>
internal static class Pools
{
    /// <summary>At which level all pools run that do not say so themselves: for the suites that hold at every level.</summary>
    private static ConfinementPolicy Level { get; } = Environment.GetEnvironmentVariable("PROCESSPOOL_TEST_LEVEL") switch
    {
        "restricted" => ConfinementPolicy.Restricted,
        "strict" => ConfinementPolicy.Strict,
        _ => ConfinementPolicy.Limits,
    };

    /// <summary>For tests whose plugin does what a level forbids.</summary>
    public static void SkipWhenConfined(string what) => Assert.SkipWhen(Level.Level >= ConfinementLevel.Restricted, $"The plugin of this test {what}, which {Level.Level} forbids.");

    public static SandboxPoolOptions Options(string plugin, int workers = 1, bool debug = false, RecordingLogger? log = null) => new()
    {
        Plugin = plugin,
        Name = "test",
        Workers = workers,
        AllowOversubscription = true,
        Debug = debug,
        Confinement = debug ? ConfinementPolicy.Limits : Level,
        Logger = log,
    };

    /// <summary>As if it were known how short its calls are: 64 of them go together.</summary>
    public static void KnowToBeShort(SandboxPool pool, string entryPoint)
    {
        for (var chunks = pool.Version!.Supervisor.Chunks; chunks.Of(entryPoint) < 64;)
        {
            chunks.Ran(entryPoint, 64, TimeProvider.System.GetTimestamp());
        }
    }

    public static Task<SandboxPool> StartAsync(string plugin, int workers = 1, bool debug = false, RecordingLogger? log = null) =>
        SandboxPool.StartAsync(Options(plugin, workers, debug, log)).Within("the pool starts");
}
