using System.Collections;
using System.Globalization;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;

namespace ProcessPool.Telemetry;

/// <summary>Names and values of a log record or a scope, and the text that they make: what a logger prints that does not look into them.</summary>
internal sealed class LogValues : IReadOnlyList<KeyValuePair<string, object?>>
{
    private readonly string _text;
    private readonly KeyValuePair<string, object?>[] _values;

    private LogValues(string text, KeyValuePair<string, object?>[] values) => (_text, _values) = (text, values);

    public int Count => _values.Length;

    public KeyValuePair<string, object?> this[int index] => _values[index];

    /// <summary>Where a record comes from. Only the number of the call is the worker's own claim.</summary>
    public static LogValues OfWorker(string pool, string worker, int? processId, long callId)
    {
        KeyValuePair<string, object?>[] values = [new("Pool", pool), new("Worker", worker), new("ProcessId", processId)];
        return new LogValues(
            string.Create(CultureInfo.InvariantCulture, $"Pool:{pool} Worker:{worker} ProcessId:{processId}{(callId == 0 ? "" : $" Call:{callId}")}"),
            callId == 0 ? values : [.. values, new("Call", callId)]);
    }

    /// <param name="text">The text, clean.</param>
    /// <param name="tags">A sandbox's.</param>
    public static LogValues Of(string text, TagMessage[] tags) => new(
        text, Array.ConvertAll(tags, tag => new KeyValuePair<string, object?>(WireText.Line(tag.Name), tag.Value is string value ? WireText.Of(value, WireLimits.MaxTagText) : tag.Value)));

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, object?>>)_values).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => _text;
}
