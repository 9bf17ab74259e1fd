namespace ProcessPool.Launch;

/// <summary>The last lines of an output: at most 50 lines and 8 Ki characters. Thread-safe.</summary>
internal sealed class OutputTail
{
    private const int MaxLines = 50;
    private const int MaxCharacters = 8 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private int _characters;

    /// <summary>What is kept, oldest line first.</summary>
    public string Text
    {
        get
        {
            lock (_gate)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    public void Add(string line)
    {
        var kept = line.Length <= MaxCharacters ? line : line[^MaxCharacters..];
        lock (_gate)
        {
            _lines.Enqueue(kept);
            _characters += kept.Length;
            while (_lines.Count > MaxLines || _characters > MaxCharacters)
            {
                _characters -= _lines.Dequeue().Length;
            }
        }
    }
}
