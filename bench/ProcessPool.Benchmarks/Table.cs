using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace ProcessPool.Benchmarks;

/// <summary>Collects figures and shows their medians, ours beside each of the others.</summary>
internal sealed class Table
{
    /// <summary>Those that are measured when none is asked for.</summary>
    public static readonly string[] Compared = ["roundtrip", "singles", "bulk", "bytes", "start", "crash", "memory", "cpu", "scale"];

    public static readonly string[] Cases = [.. Compared, "levels", "listeners", "safety"];

    // Case, figure, how it reads, unit, whether less is better.
    private static readonly (string Case, string Figure, string Title, string Unit, bool Less)[] Rows =
    [
        ("roundtrip", "p50_us", "round trip, tiny call, one at a time, p50", "µs", true),
        ("roundtrip", "p99_us", "round trip p99", "µs", true),
        ("roundtrip", "allocated_bytes", "allocated by the host for each call", "B", true),
        ("singles", "calls_per_s", "50,000 single calls submitted at once, warm", "/s", false),
        ("singles", "cold_calls_per_s", "the first 50,000 of a process", "/s", false),
        ("bulk", "calls_per_s", "map of ints, no chunk size", "/s", false),
        ("bulk", "batch_calls_per_s", "a batch of ints, added one by one", "/s", false),
        ("bytes", "mib_1", "echo of 1 MiB, both ways", "MiB/s", false),
        ("bytes", "mib_64", "echo of 64 MiB, both ways", "MiB/s", false),
        ("start", "create_ms", "pool of 2 created to first result", "ms", true),
        ("start", "process_ms", "the whole process that does that", "ms", true),
        ("start", "compiled_host", "methods compiled in the host until then", "", true),
        ("start", "compiled_sandbox", "the same, in a sandbox", "", true),
        ("crash", "next_result_ms", "lone worker killed to next result", "ms", true),
        ("crash", "standby_ms", "the same with a standby", "ms", true),
        ("memory", "pss_mib", "idle worker, PSS", "MiB", true),
        ("cpu", "speedup", "200 × 20 ms of processor time on 2 workers", "×", false),
        ("scale", "host_us_1", "host's processor time for a sleeping call, 1 worker", "µs", true),
        ("scale", "host_us_64", "the same, 64 workers", "µs", true),
        ("levels", "none_start_ms", "pool of 1 created to first result, level None", "ms", true),
        ("levels", "limits_start_ms", "the same, Limits", "ms", true),
        ("levels", "limits_memory_start_ms", "the same, Limits with a memory limit", "ms", true),
        ("levels", "restricted_start_ms", "the same, Restricted", "ms", true),
        ("levels", "strict_start_ms", "the same, Strict", "ms", true),
        ("levels", "none_p50_us", "round trip p50, level None", "µs", true),
        ("levels", "limits_p50_us", "the same, Limits", "µs", true),
        ("levels", "restricted_p50_us", "the same, Restricted", "µs", true),
        ("levels", "strict_p50_us", "the same, Strict", "µs", true),
        ("listeners", "nobody_p50_us", "round trip p50, no listener", "µs", true),
        ("listeners", "metrics_p50_us", "round trip p50, OpenTelemetry's metrics", "µs", true),
        ("listeners", "sampled_out_p50_us", "round trip p50, its traces, sampled out", "µs", true),
        ("listeners", "traced_p50_us", "round trip p50, its traces, all recorded", "µs", true),
        ("listeners", "nobody_allocated_bytes", "allocated by the host for each, no listener", "B", true),
        ("listeners", "metrics_allocated_bytes", "allocated by the host for each, OpenTelemetry's metrics", "B", true),
        ("listeners", "sampled_out_allocated_bytes", "allocated by the host for each, its traces, sampled out", "B", true),
        ("listeners", "traced_allocated_bytes", "allocated by the host for each, its traces, all recorded", "B", true),
        ("listeners", "nobody_calls_per_s", "20,000 single calls at once, no listener", "/s", false),
        ("listeners", "metrics_calls_per_s", "20,000 single calls at once, OpenTelemetry's metrics", "/s", false),
        ("listeners", "sampled_out_calls_per_s", "20,000 single calls at once, its traces, sampled out", "/s", false),
        ("listeners", "traced_calls_per_s", "20,000 single calls at once, its traces, all recorded", "/s", false),
        ("safety", "none_calls_per_s", "20,000 single calls at once, none of the options", "/s", false),
        ("safety", "call_calls_per_s", "the same, CallTimeout", "/s", false),
        ("safety", "queue_calls_per_s", "the same, QueueTimeout", "/s", false),
        ("safety", "recycle_calls_per_s", "the same, Recycle.AfterCalls 10,000", "/s", false),
        ("safety", "services_calls_per_s", "the same, an exposed service", "/s", false),
        ("safety", "none_map_per_s", "map of ints, none of the options", "/s", false),
        ("safety", "call_map_per_s", "the same, CallTimeout", "/s", false),
        ("safety", "queue_map_per_s", "the same, QueueTimeout", "/s", false),
        ("safety", "recycle_map_per_s", "the same, Recycle.AfterCalls 10,000", "/s", false),
        ("safety", "services_map_per_s", "the same, an exposed service", "/s", false),
    ];

    private readonly Dictionary<(string Contestant, string Case, string Figure), List<double>> _figures = [];
    private readonly List<string> _contestants = [];

    /// <summary>Runs one case once.</summary>
    public async Task AddAsync(Contestant contestant, string @case)
    {
        var isHello = contestant.Name == Contestant.Hello;
        if (await Processes.RunAsync(contestant.Program, isHello ? contestant.Arguments : [.. contestant.Arguments, @case]) is not var (output, took))
        {
            return;
        }

        if (@case == "start")
        {
            Add(contestant.Name, @case, "process_ms", took.TotalMilliseconds);
        }

        if (isHello)
        {
            Add(contestant.Name, @case, "create_ms", took.TotalMilliseconds);
            return;
        }

        using var line = JsonDocument.Parse(output.Trim().Split('\n')[^1]);
        foreach (var figure in line.RootElement.EnumerateObject().Where(figure => figure.Value.ValueKind == JsonValueKind.Number))
        {
            Add(contestant.Name, @case, figure.Name, figure.Value.GetDouble());
        }
    }

    public string ToMarkdown(int rounds)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors, .NET {Environment.Version}, {DateTime.UtcNow:yyyy-MM-dd}; medians of {rounds} alternating rounds");
        text.AppendLine().AppendLine("| case | ours | beside it (ours is × that) |").AppendLine("|---|---|---|");
        foreach (var row in Rows)
        {
            if (Median(Contestant.Ours, row.Case, row.Figure) is not { } ours)
            {
                continue;
            }

            var others = _contestants.Where(name => name != Contestant.Ours)
                .Select(name => (Name: name, Value: Median(name, row.Case, row.Figure)))
                .Where(other => other.Value is > 0)
                .OrderBy(other => row.Less ? other.Value : -other.Value)
                .Select(other => $"{other.Name} {Show(other.Value!.Value)} ({(ours / other.Value.Value).ToString("0.00", CultureInfo.InvariantCulture)}×)");
            text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Title} | {Show(ours)} {row.Unit} | {string.Join(", ", others)} |");
        }

        return text.ToString();
    }

    private static string Show(double value) => value.ToString(value >= 1000 ? "#,0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);

    private double? Median(string contestant, string @case, string figure) =>
        _figures.TryGetValue((contestant, @case, figure), out var values) ? values.Order().ElementAt(values.Count / 2) : null;

    private void Add(string contestant, string @case, string figure, double value)
    {
        if (!_contestants.Contains(contestant))
        {
            _contestants.Add(contestant);
        }

        if (!_figures.TryGetValue((contestant, @case, figure), out var values))
        {
            _figures[(contestant, @case, figure)] = values = [];
        }

        values.Add(value);
    }
}
