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

    /// <summary>Ctrl+C.</summary>
    public static void Interrupt(int processId) => System.Diagnostics.Process.Start("kill", $"-INT {processId}").WaitForExit();

    /// <summary>Starts a program in the checkout.</summary>
    public static System.Diagnostics.Process StartBy(string program, params string[] arguments)
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

    public static Task<CliResult> RunWithInputAsync(string input, params string[] arguments) => EndAsync(Start(arguments), input, string.Join(' ', arguments));

    /// <summary>Runs a line of the shell in the checkout.</summary>
    public static Task<CliResult> ShellAsync(string line) => EndAsync(StartBy("/bin/bash", "-c", line), "", line);

    private static async Task<CliResult> EndAsync(System.Diagnostics.Process started, string input, string what)
    {
        using var process = started;
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
        await process.WaitForExitAsync().Within($"'{what}' ends");
        return new CliResult(process.ExitCode, await output, await error);
    }
}

internal sealed record CliResult(int ExitCode, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
