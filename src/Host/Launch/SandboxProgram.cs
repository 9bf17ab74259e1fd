using System.Globalization;
using System.Runtime.InteropServices;
using ProcessPool.Protocol;

namespace ProcessPool.Launch;

/// <summary>
/// What runs the sandbox: a <c>dotnet</c>; or, where there is none, this program itself. A self-contained program has the runtime with it, and a startup hook lets the sandbox run before its
/// <c>Main</c>, which is then never reached.
/// </summary>
/// <param name="Path">The program.</param>
/// <param name="Sandbox">The sandbox program's path.</param>
/// <param name="IsThisProgram">Whether it is this program.</param>
internal sealed record SandboxProgram(string Path, string Sandbox, bool IsThisProgram)
{
    private const string HooksSwitch = "System.StartupHookProvider.IsSupported";

    // As in the sandbox's own runtimeconfig; a program that runs as its sandbox has its own.
    private static readonly (string Name, string Value)[] RuntimeOptions =
        [("DOTNET_gcServer", "0"), ("DOTNET_gcConcurrent", "0"), ("DOTNET_TieredPGO", "0"), ("DOTNET_GCLOHThreshold", 4_000_000.ToString("X", CultureInfo.InvariantCulture))];

    /// <exception cref="WorkerStartException">The sandbox is missing, or nothing can run it; the message says where was looked and what to do.</exception>
    public static SandboxProgram Find(FaultSite site)
    {
        var sandbox = SandboxLocator.FindSandbox(site);
        if (DotnetLocator.Here.Find() is { } dotnet)
        {
            return new SandboxProgram(dotnet, sandbox, IsThisProgram: false);
        }

        return WhyNotThisProgram(sandbox) is { } reason
            ? throw new WorkerStartException($"There is no .NET to run the sandbox with, and {reason}. Install the .NET 10 runtime, or let DOTNET_ROOT name a folder that has it. Looked at {DotnetLocator.Here.Describe()}.", site)
            : new SandboxProgram(Environment.ProcessPath!, sandbox, IsThisProgram: true);
    }

    /// <summary>
    /// Ends this process when it was meant to be a sandbox: its hook was not run, and the program goes on as if it were its own host. It would start a sandbox, which would do the same, without end.
    /// </summary>
    public static void EndIfHookWasIgnored()
    {
        if (Environment.GetEnvironmentVariable(SandboxArguments.HookVariable) is not null)
        {
            Environment.FailFast($"This process was started to be a sandbox of ProcessPool, but its startup hook was not run, and now it wants to start sandboxes itself. It is ended, because that would not stop. Install the .NET 10 runtime, so that this program need not run as its own sandbox. (If you start it from a sandbox on purpose, remove {SandboxArguments.HookVariable} from its environment.)");
        }
    }

    /// <summary>What cannot be kept from a plugin when this program is the sandbox: its own files lie beside it, and what the runtime reads there is not known.</summary>
    /// <exception cref="ConfinementException">The policy asks for it.</exception>
    public void RefuseConfinement(ConfinementPolicy policy, FaultSite site)
    {
        if (IsThisProgram && policy.IsSandbox)
        {
            throw new ConfinementException($"The plugin is not loaded: {policy.Level} cannot be enforced where no .NET is installed. This self-contained program would run as its own sandbox, which must read its folder, with all that is in it. "
                + "Install the .NET 10 runtime, or put it into a folder and let DOTNET_ROOT name that.", null, site);
        }
    }

    /// <summary>What makes the runtime run the sandbox.</summary>
    public void AddTo(IDictionary<string, string?> environment)
    {
        if (!IsThisProgram)
        {
            return;
        }

        foreach (var (name, value) in RuntimeOptions)
        {
            environment.TryAdd(name, value);
        }

        environment[SandboxArguments.HooksVariable] = Sandbox;
        environment[SandboxArguments.HookVariable] = "1";
    }

    private static string? WhyNotThisProgram(string sandbox) =>
        AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") is null ? "this program cannot run it either: it was compiled ahead of time"
        : RuntimeEnvironment.GetRuntimeDirectory() != AppContext.BaseDirectory || Environment.ProcessPath is not { } program || System.IO.Path.GetDirectoryName(program) != System.IO.Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)
            ? "this program has none with it"
        : AppContext.TryGetSwitch(HooksSwitch, out var supported) && !supported
            ? $"this program cannot run it either: startup hooks are switched off ({HooksSwitch}), which trimming does. Publish it without PublishTrimmed"
        : sandbox.Contains(System.IO.Path.PathSeparator, StringComparison.Ordinal) ? $"this program cannot run it either: its folder has a '{System.IO.Path.PathSeparator}' in its name"
        : null;
}
