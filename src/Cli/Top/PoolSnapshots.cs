using System.Globalization;
using System.Text.Json;
using ProcessPool.Cli.Output;
using ProcessPool.Telemetry;

namespace ProcessPool.Cli.Top;

/// <summary>
/// Makes snapshots of the events that a process sends: a pool, its workers, the next pool, and an end. What another process sends can be anything: what does not fit is left out, and a snapshot that
/// has lost a pool is none. Not thread-safe.
/// </summary>
internal sealed class PoolSnapshots
{
    private const int MaxLines = 10_000;
    private const int MaxText = 80;

    private readonly List<(PoolLine Pool, List<WorkerLine> Workers)> _pools = [];
    private int _lines;
    private Snapshot? _last;

    /// <summary>Takes one event.</summary>
    /// <param name="id">Its number.</param>
    /// <param name="time">When it was, since the watching began.</param>
    /// <param name="values">What it has. Later versions may add values at the end.</param>
    /// <returns>The whole snapshot, when the event is its end; otherwise null.</returns>
    public Snapshot? Take(int id, TimeSpan time, IReadOnlyList<object?> values)
    {
        switch (id, values)
        {
            case (PoolEvents.PoolSnapshotId, [string name, string state, int size, int queued, long calls, long failed, long retries, string exits, ..]) when ++_lines <= MaxLines:
                _pools.Add((new PoolLine(Text(name), State(state), size, queued, calls, failed, retries, Exits(exits)), []));
                return null;

            case (PoolEvents.WorkerSnapshotId, [string pool, string name, int processId, string state, long calls, long resident, double processor, double uptime, ..])
                when _pools.Count > 0 && _pools[^1].Pool.Name == Text(pool) && double.IsFinite(processor) && double.IsFinite(uptime) && ++_lines <= MaxLines:
                _pools[^1].Workers.Add(new WorkerLine(Text(name), processId, State(state), calls, resident, processor, uptime));
                return null;

            case (PoolEvents.SnapshotEndedId, [int pools, ..]):
                // Whoever begins to listen in the middle of a snapshot has missed its first pools.
                var whole = pools == _pools.Count ? Whole(time) : null;
                _pools.Clear();
                _lines = 0;
                _last = whole ?? _last;
                return whole;

            default:
                return null;
        }
    }

    private Snapshot Whole(TimeSpan time)
    {
        var seconds = _last is null ? 0 : (time - _last.Time).TotalSeconds;
        // Pools of one name are told apart by their order.
        var before = _last?.Pools.GroupBy(pool => pool.Name).ToDictionary(group => group.Key, group => new Queue<PoolLine>(group)) ?? [];
        var pools = _pools.Select(each =>
        {
            var old = before.TryGetValue(each.Pool.Name, out var same) && same.TryDequeue(out var first) ? first : null;
            return each.Pool with { CallsPerSecond = Rate(each.Pool.Calls, old?.Calls, seconds), Workers = Workers(each.Workers, old, seconds) };
        });
        return new Snapshot(time, [.. pools.OrderBy(pool => pool.Name, StringComparer.Ordinal)]);
    }

    private static List<WorkerLine> Workers(List<WorkerLine> workers, PoolLine? old, double seconds)
    {
        var before = old?.Workers.GroupBy(worker => (worker.Name, worker.ProcessId)).ToDictionary(group => group.Key, group => group.First()) ?? [];
        var now = workers.Select(worker => worker with { Processors = Rate(worker.ProcessorSeconds, before.GetValueOrDefault((worker.Name, worker.ProcessId))?.ProcessorSeconds, seconds) });
        // pdf-10 after pdf-9.
        return [.. now.OrderBy(worker => worker.Name.Length).ThenBy(worker => worker.Name, StringComparer.Ordinal)];
    }

    // Less than before is something else of the same name.
    private static double? Rate(double now, double? before, double seconds) => before <= now && seconds > 0 ? (now - before) / seconds : null;

    private static Dictionary<string, int> Exits(string text)
    {
        var exits = new Dictionary<string, int>();
        foreach (var each in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (each.Split('=') is [var reason, var count] && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                exits[Text(reason)] = number;
            }
        }

        return exits;
    }

    private static string State(string text) => JsonNamingPolicy.CamelCase.ConvertName(Text(text));

    private static string Text(string text) => PluginText.Clean(text.Length <= MaxText ? text : text[..MaxText]);
}
