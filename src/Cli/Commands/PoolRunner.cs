using ProcessPool.Cli.Output;

namespace ProcessPool.Cli.Commands;

/// <summary>Starts a pool for a verb.</summary>
internal static class PoolRunner
{
    /// <summary>Runs a verb with a started pool.</summary>
    /// <param name="options">The pool's options.</param>
    /// <param name="entryPointName">Checked before any process starts.</param>
    /// <param name="use">The verb; returns the exit code.</param>
    /// <param name="prepare">What it does before any process starts.</param>
    public static async Task<int> RunAsync(
        SandboxPoolOptions options, string entryPointName, Func<SandboxPool, EntryPointInfo, Interrupt, Task<int>> use, Action<PluginInfo, EntryPointInfo>? prepare = null)
    {
        using var interrupt = new Interrupt();
        var plugin = PluginInfo.Read(options.Plugin);
        var entryPoint = plugin.EntryPoints.FirstOrDefault(candidate => candidate.Name == entryPointName);
        if (entryPoint is null)
        {
            await Console.Error.WriteLineAsync($"{PluginText.Clean(plugin.Name)} has no entry point '{entryPointName}'. It has:");
            foreach (var candidate in plugin.EntryPoints)
            {
                await Console.Error.WriteLineAsync(PluginText.Clean($"  {candidate}"));
            }

            return ExitCode.CannotStart;
        }

        prepare?.Invoke(plugin, entryPoint);
        await using var pool = await SandboxPool.StartAsync(options, interrupt.Drain);
        var code = await use(pool, entryPoint, interrupt);
        return interrupt.Drain.IsCancellationRequested ? ExitCode.Interrupted : code;
    }
}
