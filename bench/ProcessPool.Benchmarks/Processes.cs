using System.Diagnostics;
using System.Globalization;

namespace ProcessPool.Benchmarks;

/// <summary>Other programs: run, timed, looked at.</summary>
internal static class Processes
{
    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it printed and how long it took; null when it could not be started, failed, or took longer than five minutes.</returns>
    public static async Task<(string Output, TimeSpan Took)?> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            var began = Stopwatch.GetTimestamp();
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
            try
            {
                var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
                await process.WaitForExitAsync(limit.Token);
                var took = Stopwatch.GetElapsedTime(began);
                if (process.ExitCode == 0)
                {
                    return (output, took);
                }

                await Console.Error.WriteLineAsync($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await errors}");
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                await Console.Error.WriteLineAsync($"{program} {string.Join(' ', arguments)} took too long.");
            }
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            await Console.Error.WriteLineAsync($"{program}: {exception.Message}");
        }

        return null;
    }

    /// <summary>The proportional set size of a process (Linux), in MiB.</summary>
    public static double ProportionalSetMebibytes(int processId)
    {
        var line = File.ReadLines($"/proc/{processId}/smaps_rollup").First(line => line.StartsWith("Pss:", StringComparison.Ordinal));
        return double.Parse(line["Pss:".Length..^"kB".Length], CultureInfo.InvariantCulture) / 1024;
    }
}
