using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using ProcessPool.Cli.Map;
using ProcessPool.Cli.Output;
using ProcessPool.Telemetry;

namespace ProcessPool.Cli.Joblog;

/// <summary>A line of the joblog: what became of one line of input. The first nine columns are GNU parallel's.</summary>
/// <param name="Index">The call's place in the input, from 0; the file has it from 1.</param>
/// <param name="Start">When the pool was given the call.</param>
/// <param name="Runtime">From then to its end, in seconds: waiting for a worker and all tries.</param>
/// <param name="Send">Bytes of the line of input.</param>
/// <param name="Receive">Bytes of the line of output.</param>
/// <param name="ExitValue">0 when it succeeded; the worker's exit code; -1 when it timed out; 1 for any other failure.</param>
/// <param name="Signal">The signal that the worker died by, or 0.</param>
/// <param name="Line">The line's number in the input, from 1.</param>
/// <param name="Tries">How often the call was made.</param>
/// <param name="Outcome">"ok", or the kind of the error.</param>
/// <param name="Check">Tells the line of input from another: its CRC-32C.</param>
internal readonly record struct JoblogRecord(
    long Index, DateTimeOffset Start, double Runtime, long Send, long Receive, int ExitValue, int Signal, long Line, int Tries, string Outcome, uint Check)
{
    public const string Succeeded = "ok";

    private static ReadOnlySpan<byte> SucceededBytes => "ok"u8;

    /// <summary>The line above the first record.</summary>
    public const string Columns = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\tLine\tTries\tOutcome\tCheck";

    private const int ColumnCount = 13;

    // As shells have it: a process that died by a signal ends with 128 and its number.
    private const int SignalBase = 128;

    /// <summary>What became of a line.</summary>
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
            index, start, (now - start).TotalSeconds, Encoding.UTF8.GetByteCount(line.Text), length, exitValue, signal, line.Number, made.Tries, error is null ? Succeeded : ErrorType.Of(error), line.Check());
    }

    /// <summary>Appends it as a line.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="command">The entry point's name.</param>
    public void WriteTo(ArrayBufferWriter<byte> buffer, string command)
    {
        // Everything but the names has a bounded length.
        var span = buffer.GetSpan(256 + Encoding.UTF8.GetMaxByteCount(command.Length + Outcome.Length));
        Utf8.TryWrite(
            span, CultureInfo.InvariantCulture,
            $"{Index + 1}\t:\t{Start.ToUnixTimeMilliseconds() / 1000.0:0.000}\t{Runtime,10:0.000}\t{Send}\t{Receive}\t{ExitValue}\t{Signal}\t{command}\t{Line}\t{Tries}\t{Outcome}\t{Check:x8}\n", out var written);
        buffer.Advance(written);
    }

    /// <summary>Reads what a resumed run needs of a line.</summary>
    /// <returns>False when it is none.</returns>
    public static bool TryRead(ReadOnlySpan<byte> line, out (long Index, bool Succeeded, uint Check) record)
    {
        record = default;
        Span<Range> columns = stackalloc Range[ColumnCount + 1];
        var count = 0;
        foreach (var column in line.Split((byte)'\t'))
        {
            if (count == ColumnCount)
            {
                return false;
            }

            columns[count++] = column;
        }

        if (count != ColumnCount
            || !Utf8Parser.TryParse(line[columns[0]], out long number, out var digits) || digits != line[columns[0]].Length || number < 1
            || line[columns[ColumnCount - 2]].IsEmpty
            || !Utf8Parser.TryParse(line[columns[ColumnCount - 1]], out uint check, out digits, 'x') || digits != 8 || line[columns[ColumnCount - 1]].Length != 8)
        {
            return false;
        }

        record = (number - 1, line[columns[ColumnCount - 2]].SequenceEqual(SucceededBytes), check);
        return true;
    }
}
