using System.Text;
using ProcessPool.Cli.Map;
using ProcessPool.Cli.Output;
using ProcessPool.Telemetry;

namespace ProcessPool.Cli.Joblog;

/// <summary>Outcomes as lines of the joblog.</summary>
internal static class JoblogRecords
{
    // As shells have it: a process that died by a signal ends with 128 and its number.
    private const int SignalBase = 128;

    /// <param name="made">What became of a line.</param>
    /// <param name="error">The error that its line of output says, or null.</param>
    /// <param name="length">Bytes of that line.</param>
    /// <param name="now">When it was written.</param>
    public static JoblogRecord Of(MapOutcome made, Exception? error, int length, DateTimeOffset now)
    {
        var (exitValue, signal) = error switch
        {
            null => (0, 0),
            WorkerCrashedException { Signal: not null } crash => (0, crash.ExitCode - SignalBase),
            WorkerCrashedException { ExitCode: not 0 } crash => (crash.ExitCode, 0),
            CallTimeoutException => (-1, 0),
            _ => (1, 0),
        };
        var (index, line, start) = made.Item;
        return new JoblogRecord(
            index, start, (now - start).TotalSeconds, Encoding.UTF8.GetByteCount(line.Text), length, exitValue, signal, line.Number, made.Tries, error is null ? JoblogRecord.Succeeded : ErrorType.Of(error), line.Check());
    }
}
