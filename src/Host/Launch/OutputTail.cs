namespace ProcessPool.Launch;

/// <summary>
/// The last lines of an output: at most 50 lines and 8 Ki characters; and the first lines of what the runtime prints when it ends a process, however long
/// the stack trace is that follows. Thread-safe.
/// </summary>
internal sealed class OutputTail
{
    private const int MaxLines = 50;
    private const int MaxCharacters = 8 * 1024;
    private const int MaxLastWords = 4;

    private static readonly string[] LastWords = ["Stack overflow.", "Out of memory.", "Unhandled exception.", "Fatal error.", "Process terminated."];

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private readonly List<string> _lastWords = [];
    private int _characters;

    /// <summary>What is kept, oldest line first.</summary>
    public string Text
    {
        get
        {
            lock (_gate)
            {
                var begin = _lastWords.TakeWhile(line => !_lines.Contains(line)).ToList();
                return string.Join('\n', begin.Count == 0 ? [.. _lines] : (List<string>)[.. begin, "…", .. _lines]);
            }
        }
    }

    public void Add(string line)
    {
        var kept = line.Length <= MaxCharacters ? line : line[^MaxCharacters..];
        lock (_gate)
        {
            var begins = LastWords.Any(words => kept.StartsWith(words, StringComparison.Ordinal));
            if (begins)
            {
                _lastWords.Clear();
            }

            if (begins || _lastWords.Count is > 0 and < MaxLastWords)
            {
                _lastWords.Add(kept.Length <= MaxCharacters / MaxLastWords ? kept : kept[..(MaxCharacters / MaxLastWords)]);
            }

            _lines.Enqueue(kept);
            _characters += kept.Length;
            while (_lines.Count > MaxLines || _characters > MaxCharacters)
            {
                _characters -= _lines.Dequeue().Length;
            }
        }
    }
}
