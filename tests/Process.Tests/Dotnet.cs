using System.Diagnostics;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>Runs the .NET SDK, and what it has built, as a user does.</summary>
internal static class Dotnet
{
    private static readonly Dictionary<string, string> None = [];

    /// <summary>Runs <c>dotnet</c> in the checkout.</summary>
    public static Task<CliResult> RunAsync(params string[] arguments) => RunAsync("dotnet", Repository.Root, None, arguments);

    /// <summary>Publishes a program of <c>tests/Hosts</c>; skips the test where the packages for that are not to be had.</summary>
    /// <returns>Where it is.</returns>
    public static async Task<string> PublishHostAsync(string host, params string[] options)
    {
        var output = PluginSource.NewFolder(host);
        var publish = await RunAsync(["publish", Path.Combine(Repository.Root, "tests", "Hosts", host), "-c", Repository.Configuration, "-o", output, "-v", "quiet", .. options]);
        Assert.SkipWhen(publish.ExitCode != 0 && publish.Output.Contains("NU1101", StringComparison.Ordinal), "The packages that it takes to publish the host cannot be restored here.");
        Assert.True(publish.ExitCode == 0, $"Expected the host to be published:\n{publish.Output}{publish.Error}");
        return output;
    }

    /// <summary>Runs a program.</summary>
    public static async Task<CliResult> RunAsync(string program, string directory, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = directory };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            // Of the build that runs this test.
            start.Environment.Remove(name);
        }

        // No build server is to outlive the test.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = OwnProcess.Start(start);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(10));
        return new CliResult(process.ExitCode, await output, await error);
    }
}
