using System.Runtime.Versioning;
using ProcessPool.Confining;
using ProcessPool.Confining.Linux;
using ProcessPool.Protocol;

namespace ProcessPool.Sandbox;

/// <summary>Confines this process as the host's policy says, before anything of a plugin is known.</summary>
[SupportedOSPlatform("linux")]
internal static class Confinement
{
    /// <summary>Confines it. Executes the program again on the way, where the level asks for that.</summary>
    /// <returns>What was tried afterwards, and how it ended; "" where nothing is denied.</returns>
    public static string Enter()
    {
        if (Environment.GetEnvironmentVariable(PolicyText.Variable) is not { } text)
        {
            return "";
        }

        var policy = PolicyText.Read(text);
        if (policy.Policy.Level < ConfinementLevel.Restricted)
        {
            Forget();
            ConfinedStart.ApplyLimits(policy);
            return "";
        }

        var errors = Environment.GetEnvironmentVariable(StageTwo.Variable) is { } second ? StageTwo.Read(second) : ConfinedStart.First(policy);
        if (errors.TryGetValue(ConfinedStart.ExecuteFailed, out var error))
        {
            // Some threads are confined and others are not, and limits hold that are meant for another program.
            Console.Error.WriteLine($"The sandbox could not be confined: executing {Environment.ProcessPath} again failed with error {error}. The runtime's folder must be readable and executable for the sandbox's user.");
            Environment.Exit(SandboxExitCode.NotConfined);
        }

        Forget();
        ConfinedStart.Second(policy, errors);
        return new ConfinementProof(Landlock.Abi(), errors, Probe.Run(policy)).Write();
    }

    private static void Forget()
    {
        Environment.SetEnvironmentVariable(PolicyText.Variable, null);
        Environment.SetEnvironmentVariable(StageTwo.Variable, null);
    }
}
