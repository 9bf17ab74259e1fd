using ProcessPool.Protocol;
using ProcessPool.Sandbox;
using ProcessPool.Sandbox.Interop;

/// <summary>
/// Where no <c>dotnet</c> is installed, a self-contained host is started again with this as its startup hook: the sandbox runs before the host's <c>Main</c>, which is never reached. Name,
/// namespace and method are the runtime's.
/// </summary>
internal static class StartupHook
{
    /// <summary>Runs the sandbox; does not return.</summary>
    public static void Initialize()
    {
        // First of all: a program that is started from here is no sandbox.
        foreach (var name in new[] { SandboxArguments.HookVariable, SandboxArguments.HooksVariable })
        {
            Environment.SetEnvironmentVariable(name, null);
            if (!OperatingSystem.IsWindows())
            {
                LibC.RemoveVariable(name);
            }
        }

        Environment.Exit(Program.RunAsync(Environment.GetCommandLineArgs()[1..]).GetAwaiter().GetResult());
    }
}
