using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace ProcessPool.Launch;

/// <summary>Finds the sandbox program and the <c>dotnet</c> that runs it.</summary>
internal static class SandboxLocator
{
    private const string FileName = "ProcessPool.Sandbox.dll";

    /// <summary>The sandbox program's path.</summary>
    /// <exception cref="WorkerStartException">It is not there; the message lists the places.</exception>
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "Empty in a single file; then the first place is the right one.")]
    public static string FindSandbox(FaultSite site)
    {
        string[] candidates =
        [
            Path.Combine(AppContext.BaseDirectory, "processpool", FileName),
            Path.Combine(Path.GetDirectoryName(typeof(SandboxLocator).Assembly.Location) ?? AppContext.BaseDirectory, "processpool", FileName),
        ];
        return candidates.FirstOrDefault(File.Exists) ?? throw new WorkerStartException(
            $"The sandbox program is missing. Looked for: {string.Join(", ", candidates.Distinct())}. It is copied there when a program that references ProcessPool.Host is built; build it again.",
            site);
    }

    /// <summary>The <c>dotnet</c> program's path: the one that runs this process where possible.</summary>
    /// <exception cref="WorkerStartException">There is none.</exception>
    public static string FindDotnet(FaultSite site)
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        return Candidates(name).FirstOrDefault(File.Exists) ?? throw new WorkerStartException(
            $"No '{name}' was found to run the sandbox with: neither running this program, nor above the runtime's folder, nor in DOTNET_HOST_PATH, DOTNET_ROOT or PATH. Install the .NET 10 runtime, or set DOTNET_ROOT.",
            site);
    }

    private static IEnumerable<string> Candidates(string name)
    {
        if (Environment.ProcessPath is { } program && Path.GetFileName(program) == name)
        {
            yield return program;
        }

        if (Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } hostPath)
        {
            yield return hostPath;
        }

        // <root>/shared/Microsoft.NETCore.App/<version>/
        yield return Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        foreach (var directory in new[] { Environment.GetEnvironmentVariable("DOTNET_ROOT") }
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)))
        {
            if (!string.IsNullOrEmpty(directory))
            {
                yield return Path.Combine(directory, name);
            }
        }
    }
}
