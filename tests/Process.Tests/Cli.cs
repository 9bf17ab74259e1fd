using System.Diagnostics;
using System.Reflection;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>Runs the command-line program as a user does.</summary>
internal static class Cli
{
    public static string Program { get; } =
        typeof(Cli).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Cli").Value!;

    public static System.Diagnostics.Process Start(params string[] arguments) => StartBy("dotnet", ["exec", Program, .. arguments]);

    /// <summary>With SIGINT as a terminal has it: what a shell starts in the background ignores it, and so does all that it starts.</summary>
    public static System.Diagnostics.Process StartInterruptible(params string[] arguments) => StartBy("env", ["--default-signal=INT", "dotnet", "exec", Program, .. arguments]);

    private static System.Diagnostics.Process StartBy(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return OwnProcess.Start(start);
    }

    public static Task<CliResult> RunAsync(params string[] arguments) => RunWithInputAsync("", arguments);

    public static async Task<CliResult> RunWithInputAsync(string input, params string[] arguments)
    {
        using var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(input);
        }
        catch (IOException)
        {
            // It did not read its input to the end.
        }

        process.StandardInput.Close();
        await process.WaitForExitAsync().Within($"'{string.Join(' ', arguments)}' ends");
        return new CliResult(process.ExitCode, await output, await error);
    }
}

internal sealed record CliResult(int ExitCode, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
