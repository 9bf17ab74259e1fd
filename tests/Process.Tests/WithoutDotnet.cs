using ProcessPool.Process.Tests.Confinement;
using System.Runtime.InteropServices;

namespace ProcessPool.Process.Tests;

/// <summary>Runs programs as on a machine where no .NET is installed: the folders where it is are hidden from them.</summary>
internal static class WithoutDotnet
{
    // Nobody else's: what it starts is counted against the limit alone.
    private const int User = 54_321;

    private static readonly string[] Installed =
        [.. new[] { Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")), "/usr/share/dotnet", "/usr/lib/dotnet" }.Where(Directory.Exists).Distinct()];

    public static void SkipUnlessPossible()
    {
        Nobody.SkipUnlessPossible();
        Assert.SkipUnless(File.Exists("/usr/bin/unshare") && File.Exists("/usr/bin/prlimit"), "There is no unshare or prlimit to hide .NET and to bound processes with.");
    }

    /// <summary>Runs a program as a user of its own, who can have so many threads in all, and for a minute at most.</summary>
    public static Task<CliResult> RunAsync(int threads, string program, IReadOnlyList<string> variables, params string[] arguments)
    {
        var hide = string.Concat(Installed.Select(folder => $"mount -t tmpfs none '{folder}' && "));
        return Dotnet.RunAsync("unshare", "/tmp", new Dictionary<string, string>(),
            ["--mount", "sh", "-c", hide + "exec \"$@\"", "sh", "setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups", "prlimit", $"--nproc={threads}", "--core=0",
            "timeout", "--signal=KILL", "60", "env", "-i", "PATH=/usr/bin:/bin", .. variables, program, .. arguments]);
    }
}
