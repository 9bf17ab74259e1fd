namespace ProcessPool.Supervision;

/// <summary>The last things that went wrong with workers. Thread-safe.</summary>
internal sealed class CrashHistory
{
    private const int Kept = 5;

    private readonly Lock _gate = new();
    private readonly Queue<SandboxPoolException> _errors = new();

    public SandboxPoolException? Last { get; private set; }

    public void Add(SandboxPoolException error)
    {
        lock (_gate)
        {
            Last = error;
            _errors.Enqueue(error);
            if (_errors.Count > Kept)
            {
                _errors.Dequeue();
            }
        }
    }

    /// <summary>One line for each, oldest first.</summary>
    public string Describe()
    {
        lock (_gate)
        {
            return string.Concat(_errors.Select(error => $"{Environment.NewLine}- {FirstLine(error.Message)}"));
        }
    }

    private static string FirstLine(string text) => text.AsSpan().IndexOfAny('\r', '\n') is var end and >= 0 ? text[..end] : text;
}
