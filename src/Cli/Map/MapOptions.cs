namespace ProcessPool.Cli.Map;

/// <summary>What a map was asked to do.</summary>
/// <param name="Pool">The pool's options.</param>
/// <param name="EntryPoint">The entry point's name.</param>
internal sealed record MapOptions(SandboxPoolOptions Pool, string EntryPoint)
{
    /// <summary>The file to read, or "-".</summary>
    public string Input { get; init; } = "-";

    /// <summary>The file to write, or "-".</summary>
    public string Output { get; init; } = "-";

    /// <summary>Whether results come in input order.</summary>
    public bool KeepOrder { get; init; }

    /// <summary>Whether lines are strings.</summary>
    public bool Raw { get; init; }

    /// <summary>How often a call that failed is made again.</summary>
    public int Retries { get; init; }

    /// <summary>Whether the user says that the entry point may be executed more than once for one line.</summary>
    public bool Idempotent { get; init; }

    /// <summary>The joblog's path; null for none.</summary>
    public string? Joblog { get; init; }

    /// <summary>Whether to go on where the joblog ends.</summary>
    public bool Resume { get; init; }

    /// <summary>Whether to do so with another content of the plugin.</summary>
    public bool AllowChangedPlugin { get; init; }

    /// <summary>Whether progress is written where nobody sees a bar.</summary>
    public bool Progress { get; init; }
}
