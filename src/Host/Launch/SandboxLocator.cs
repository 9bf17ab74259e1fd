using System.Diagnostics.CodeAnalysis;

namespace ProcessPool.Launch;

/// <summary>Finds the sandbox program.</summary>
internal static class SandboxLocator
{
    /// <summary>A folder with the sandbox program, where it is not beside the host: the user's word.</summary>
    public const string Variable = "PROCESSPOOL_SANDBOX_PATH";

    private const string FileName = "ProcessPool.Sandbox.dll";
    private const string Folder = "processpool";

    /// <summary>The sandbox program's path.</summary>
    /// <exception cref="WorkerStartException">It is not there; the message lists the places.</exception>
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "Empty in a single file; then it is beside the program.")]
    public static string FindSandbox(FaultSite site) =>
        Find(Environment.GetEnvironmentVariable(Variable), AppContext.BaseDirectory, Path.GetDirectoryName(typeof(SandboxLocator).Assembly.Location), File.Exists, site);

    /// <param name="said">The variable's value: the folder, or the program in it.</param>
    /// <param name="program">The host's folder.</param>
    /// <param name="library">This assembly's folder; "" or null in a single file.</param>
    /// <param name="exists">Looks for a file.</param>
    /// <param name="site">For errors.</param>
    internal static string Find(string? said, string program, string? library, Func<string, bool> exists, FaultSite site)
    {
        if (!string.IsNullOrEmpty(said))
        {
            // Nothing else is taken instead: who said it means it.
            var path = Path.GetFullPath(said.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) ? said : Path.Combine(said, FileName));
            return exists(path) ? path : throw new WorkerStartException($"The sandbox program is missing: {Variable} says {said}, and {path} is not there. Let it name the folder 'processpool' of a program that was built with ProcessPool, or unset it.", site);
        }

        List<string> places = [Path.Combine(program, Folder)];
        if (!string.IsNullOrEmpty(library))
        {
            places.Add(Path.Combine(library, Folder));

            // <package>/lib/net10.0/: hosts that load a package where it lies, such as notebooks and some test runners, copy nothing.
            places.Add(Path.GetFullPath(Path.Combine(library, "..", "..", Folder)));
        }

        return places.Select(place => Path.Combine(place, FileName)).FirstOrDefault(exists) ?? throw new WorkerStartException(
            $"The sandbox program {FileName} is missing. Looked in: {string.Join(", ", places.Distinct())}. A build puts it into 'processpool' beside every program that references ProcessPool: build or publish it again, and copy that folder too; "
            + $"or let {Variable} name the folder.", site);
    }
}
