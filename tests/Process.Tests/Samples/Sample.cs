using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Samples;

/// <summary>A sample that runs.</summary>
internal sealed class Sample : IDisposable
{
    private readonly System.Diagnostics.Process _process;
    private readonly Task<string> _error;

    private Sample(System.Diagnostics.Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
    }

    public StreamWriter Input => _process.StandardInput;

    public int ProcessId => _process.Id;

    public static Sample Start(string name, params string[] arguments) => new(Cli.StartBy("dotnet", ["exec", Program(name), .. arguments]));

    /// <summary>With SIGINT as a terminal has it.</summary>
    public static Sample StartInterruptible(string name, params string[] arguments) => new(Cli.StartBy("env", ["--default-signal=INT", "dotnet", "exec", Program(name), .. arguments]));

    /// <summary>The next line that is wanted; those before it are skipped.</summary>
    public async Task<string> LineAsync(Func<string, bool> wanted, string what)
    {
        var skipped = new List<string>();
        while (await _process.StandardOutput.ReadLineAsync().Within(what) is { } line)
        {
            if (wanted(line))
            {
                return line;
            }

            skipped.Add(line);
        }

        throw new InvalidOperationException($"Expected {what}, but the sample ended. It said: {string.Join('\n', skipped)}{await _error}");
    }

    /// <summary>Closes its input, and waits for its end.</summary>
    public async Task<CliResult> EndAsync()
    {
        _process.StandardInput.Close();
        var output = _process.StandardOutput.ReadToEndAsync();
        await _process.WaitForExitAsync().Within("the sample ends");
        return new CliResult(_process.ExitCode, await output, await _error);
    }

    private static string Program(string name) =>
        Path.Combine(Repository.Root, "artifacts", "bin", name, Repository.Configuration.ToLowerInvariant(), (name == "OpenTelemetry" ? "OpenTelemetrySample" : name) + ".dll");

    public void Dispose() => _process.Dispose();
}
