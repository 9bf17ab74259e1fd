using System.Globalization;
using System.Text;
using ProcessPool.Cli.Output;
using ProcessPool.Telemetry;

namespace ProcessPool.Cli.Map;

/// <summary>Counts what happens, and puts it into words. Thread-safe.</summary>
/// <param name="time">The clock.</param>
/// <param name="fraction">How much of the input was read, from 0 to 1; null when its length is unknown.</param>
internal sealed class MapTally(TimeProvider time, Func<double?> fraction)
{
    /// <summary>How many failed lines are named.</summary>
    private const int MaxNamed = 10;

    private readonly long _startedAt = time.GetTimestamp();
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, long> _failures = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _restarts = new(StringComparer.Ordinal);
    private readonly List<(long Line, string Why)> _named = [];
    private long _done;
    private long _written;
    private long _again;
    private long _skipped;
    private double? _fractionBefore;

    /// <summary>How many failed.</summary>
    public long Failed
    {
        get
        {
            lock (_gate)
            {
                return Failed_NeedsLock;
            }
        }
    }

    /// <summary>How much of the input was read; null when its length is unknown.</summary>
    public double? Fraction => fraction();

    private long Failed_NeedsLock => _failures.Values.Sum();

    /// <summary>A line has its outcome.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="error">The error that its line of output says, or null.</param>
    public void Count(MapOutcome outcome, Exception? error)
    {
        lock (_gate)
        {
            _done++;
            _again += outcome.Tries - 1;
            if (error is null)
            {
                return;
            }

            var kind = ErrorType.Of(error);
            _failures[kind] = _failures.GetValueOrDefault(kind) + 1;
            if (_named.Count < MaxNamed)
            {
                _named.Add((outcome.Item.Line.Number, $"{Reason(error)}{(outcome.Tries > 1 ? $" (tried {outcome.Tries} times)" : "")}"));
            }
        }
    }

    /// <summary>What was counted is in the output.</summary>
    public void Written()
    {
        lock (_gate)
        {
            _written = _done;
        }
    }

    /// <summary>A line was done by an earlier run.</summary>
    public void Skip()
    {
        lock (_gate)
        {
            _skipped++;
            _fractionBefore = null;
        }
    }

    /// <summary>A line is called for.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            // What was passed over took no time: it says nothing about the rest.
            _fractionBefore ??= _skipped > 0 ? fraction() : 0;
        }
    }

    /// <summary>A worker has died, or was killed, and is replaced.</summary>
    public void WorkerEnded(string why)
    {
        lock (_gate)
        {
            _restarts[why] = _restarts.GetValueOrDefault(why) + 1;
        }
    }

    /// <summary>How far it is, on one line: <c>1200 calls, 412/s, 2 failed, 5 restarts, 64%, 0:00:31 left</c>.</summary>
    public string Progress()
    {
        lock (_gate)
        {
            var elapsed = time.GetElapsedTime(_startedAt);
            var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{_done} calls, {Rate(elapsed):0}/s");
            Append(text, Failed_NeedsLock, "failed");
            Append(text, _again, "tried again");
            Append(text, _restarts.Values.Sum(), "restarts");
            Append(text, _skipped, "done before");
            if (fraction() is { } share)
            {
                text.Append(CultureInfo.InvariantCulture, $", {Math.Floor(share * 100):0}%");
                if (_done > 0 && share > (_fractionBefore ?? 0))
                {
                    var left = TimeSpan.FromSeconds(Math.Min(1e9, elapsed.TotalSeconds * (1 - share) / (share - (_fractionBefore ?? 0))));
                    text.Append(CultureInfo.InvariantCulture, $", {(long)left.TotalHours}:{left.Minutes:00}:{left.Seconds:00} left");
                }
            }

            return text.ToString();
        }
    }

    /// <summary>How it went: counts, worker ends with reasons, the first lines that failed.</summary>
    /// <param name="rerun">How to make only those again.</param>
    public IEnumerable<string> Summary(string rerun)
    {
        lock (_gate)
        {
            var elapsed = time.GetElapsedTime(_startedAt);
            var failed = Failed_NeedsLock;
            var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{_done} calls: {_done - failed} succeeded, {failed} failed{Kinds(_failures)}");
            Append(text, _again, "tried again");
            Append(text, _skipped, "done before");
            Append(text, _restarts.Values.Sum(), "workers restarted");
            Append(text.Append(Kinds(_restarts)), _done - _written, "of which the output may lack");
            text.Append(CultureInfo.InvariantCulture, $"; {elapsed.TotalSeconds:0.0} s, {Rate(elapsed):0}/s");
            List<string> lines = [text.ToString()];
            lines.AddRange(_named.Select((failure, number) => $"{(number == 0 ? "failed: " : "        ")}line {failure.Line}  {failure.Why}"));
            if (failed > _named.Count)
            {
                lines.Add($"        and {failed - _named.Count} more");
            }

            if (failed > 0)
            {
                lines.Add(rerun);
            }

            return lines;
        }
    }

    private static string Kinds(SortedDictionary<string, long> counts) => counts.Count == 0 ? "" : $" ({string.Join(", ", counts.Select(kind => $"{kind.Value} {kind.Key}"))})";

    private static void Append(StringBuilder text, long count, string what) => _ = count == 0 ? text : text.Append(CultureInfo.InvariantCulture, $", {count} {what}");

    private static string Reason(Exception error) => PluginText.Clean((error is PluginCallException thrown ? $"{thrown.Error.Type.Split('.')[^1]}: {thrown.Error.Message}" : error.Message).Split('\n')[0].TrimEnd('\r'));

    private double Rate(TimeSpan elapsed) => _done / Math.Max(0.001, elapsed.TotalSeconds);
}
