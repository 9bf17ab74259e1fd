using ProcessPool.Protocol;

namespace ProcessPool.Sandbox;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        if (SandboxArguments.Parse(arguments) is not { } pipes)
        {
            await Console.Error.WriteLineAsync(
                "This is the sandbox program of ProcessPool. It is started by a SandboxPool, not by hand: see ProcessPool.Host, or the 'processpool' tool.")
                .ConfigureAwait(false);
            return SandboxExitCode.NotUnderHost;
        }

        return await SandboxProcess.RunAsync(pipes).ConfigureAwait(false);
    }
}
