using System.Text.Json;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Confinement;

/// <summary>An ordinary user, for hosts that are not root's.</summary>
internal static class Nobody
{
    public const int Id = 65534;

    /// <summary>The options of setpriv(1).</summary>
    public static readonly string[] Options = [$"--reuid={Id}", $"--regid={Id}", "--clear-groups"];

    public static void SkipUnlessPossible()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root can become another user.");
        Assert.SkipUnless(new[] { "/usr/bin/setpriv", "/bin/setpriv" }.Any(File.Exists), "There is no setpriv to become another user with.");
    }

    /// <summary>Makes a call whose result is what ended how.</summary>
    public static async Task<Dictionary<string, string>> RunAsync(ConfinementLevel level, string plugin, params string[] call)
    {
        string[] arguments = [.. Options, "dotnet", "exec", Cli.Program, "run", plugin, .. call, "--jobs", "1", "--confine", $"{level}".ToLowerInvariant()];
        var result = await Dotnet.RunAsync("setpriv", "/tmp", new Dictionary<string, string> { ["HOME"] = "/", ["HOST_SECRET"] = "x" }, arguments);
        Assert.SkipWhen(result.ExitCode != 0 && !IsReadable(Cli.Program), "Another user cannot read the build's folder.");
        Assert.True(result.ExitCode == 0, $"Expected the call at {level} to succeed: {result.Error}");
        return JsonSerializer.Deserialize<Dictionary<string, string>>(result.Output)!;
    }

    /// <summary>Whether other users can read a file and what is around it.</summary>
    public static bool CanRead(string path) => IsReadable(path) && IsReadable(Cli.Program);

    private static bool IsReadable(string path)
    {
        for (var folder = Path.GetDirectoryName(path); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (!OperatingSystem.IsWindows() && !File.GetUnixFileMode(folder).HasFlag(UnixFileMode.OtherExecute))
            {
                return false;
            }
        }

        return true;
    }
}
