using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ProcessPool.TestKit;

/// <summary>Keeps what is logged, and lets a test wait for a line.</summary>
public sealed class RecordingLogger : ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, int Id, string Text)> _entries = new();
    private readonly Lock _gate = new();
    private readonly List<(Func<string, bool> Wanted, TaskCompletionSource<string> Found)> _waiters = [];

    public IEnumerable<(LogLevel Level, int Id, string Text)> Entries => _entries;

    /// <summary>Ends with the first line, logged before or after, that is wanted.</summary>
    public async Task<string> WaitForAsync(Func<string, bool> wanted, string what)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_entries.FirstOrDefault(entry => wanted(entry.Text)) is { Text: { } text })
            {
                return text;
            }

            _waiters.Add((wanted, found));
        }

        try
        {
            return await found.Task.WaitAsync(TestTime.Limit);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Expected a log line: {what}. Logged were: {string.Join(" | ", _entries.Select(entry => entry.Text).TakeLast(20))}");
        }
    }

    /// <summary>Forgets what was logged.</summary>
    public void Clear() => _entries.Clear();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var text = formatter(state, exception);
        lock (_gate)
        {
            _entries.Enqueue((logLevel, eventId.Id, text));
            foreach (var (wanted, found) in _waiters)
            {
                if (wanted(text))
                {
                    found.TrySetResult(text);
                }
            }
        }
    }
}
