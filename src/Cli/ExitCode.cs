namespace ProcessPool.Cli;

/// <summary>What the program's exit code says.</summary>
internal static class ExitCode
{
    public const int Succeeded = 0;
    public const int SomeFailed = 1;
    public const int Usage = 2;

    /// <summary>The pool or the plugin could not start, or there is no such entry point.</summary>
    public const int CannotStart = 3;

    /// <summary>Ended by Ctrl+C: 128 + SIGINT, as shells have it.</summary>
    public const int Interrupted = 130;

    /// <summary>Whoever read standard output reads no more: 128 + SIGPIPE, as shells have it.</summary>
    public const int ReaderGone = 141;
}
