namespace ProcessPool.Telemetry;

/// <summary>What a plugin logged as thrown: its text. No type that a plugin names is loaded here.</summary>
/// <param name="text">The exception's own text, with its stack.</param>
internal sealed class LoggedException(string text) : Exception(text.Split('\n', 2)[0].TrimEnd())
{
    public override string ToString() => text;
}
