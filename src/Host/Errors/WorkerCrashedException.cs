namespace ProcessPool;

/// <summary>Why a worker died.</summary>
public enum CrashReason
{
    /// <summary>By a signal or an unhandled exception: a native fault, <c>abort</c>, <see cref="Environment.FailFast(string)"/>.</summary>
    Crashed,

    /// <summary>Plugin code ended the process, for example by <see cref="Environment.Exit"/>.</summary>
    ExitCalled,

    /// <summary>The stack overflowed.</summary>
    StackOverflow,

    /// <summary>Memory ran out.</summary>
    OutOfMemory,

    /// <summary>Killed from outside the pool (SIGKILL): by an operator or by the system's out-of-memory killer.</summary>
    KilledFromOutside,

    /// <summary>The pool killed it, because it used more memory than <see cref="SandboxPoolOptions.MemoryLimit"/>, or what it used could not be read.</summary>
    MemoryLimit,

    /// <summary>The pool killed it, because what it sent cannot be understood or is above the cap.</summary>
    ProtocolViolation,

    /// <summary>The pool killed it, because it had more threads than <see cref="ConfinementPolicy.MaxThreads"/>, or how many could not be read.</summary>
    ThreadLimit,

    /// <summary>The pool killed it, because its scratch folder held more than <see cref="ConfinementPolicy.MaxScratchBytes"/>, or could not be looked through.</summary>
    ScratchLimit,
}

/// <summary>
/// The worker died while it was executing this call. Other calls are unharmed, and the worker is replaced if <see cref="RestartPolicy"/> says so. The call may have had effects, so it is
/// not made again by itself: look at <see cref="Reason"/> and <see cref="StandardErrorTail"/> for the cause, usually native code in the plugin.
/// </summary>
public sealed class WorkerCrashedException : SandboxPoolException
{
    internal WorkerCrashedException(Workers.WorkerExit exit, FaultSite site, int returns = 0)
        : base(Describe(exit, site, returns), site)
    {
        Reason = exit.Reason;
        ExitCode = exit.ExitCode;
        Signal = exit.Signal;
        StandardErrorTail = exit.StandardErrorTail;
        Uptime = exit.Uptime;
        CallsServed = exit.CallsServed;
        PeakMemory = exit.PeakMemory;
    }

    /// <summary>Why the worker died.</summary>
    public CrashReason Reason { get; }

    /// <summary>The process's exit code; 128 plus the number when it died by a signal.</summary>
    public int ExitCode { get; }

    /// <summary>The signal's name, such as <c>SIGSEGV</c>, or null when the process exited. Unix only.</summary>
    public string? Signal { get; }

    /// <summary>The last lines the worker wrote to standard error: at most 50 lines and 8 KiB.</summary>
    public string StandardErrorTail { get; }

    /// <summary>How long the process lived.</summary>
    public TimeSpan Uptime { get; }

    /// <summary>How many calls it had finished.</summary>
    public long CallsServed { get; }

    /// <summary>The most resident memory it was seen with, in bytes; the system's own high-water mark, read once a second. Null when it died before that.</summary>
    public long? PeakMemory { get; }

    private static string Describe(Workers.WorkerExit exit, FaultSite site, int returns)
    {
        var when = site switch
        {
            { EntryPoint: null } => "while idle",
            { CallId: not null, Execution: Execution.NotStarted } => $"with {site.EntryPoint} in hand, which by its own account it had not begun{(returns > 0 ? ", as two workers before it" : "")}",
            _ => $"while executing {site.EntryPoint}",
        };
        var subject = $"Worker {site.Worker} (pid {site.ProcessId}) died {when}";
        var tail = exit.StandardErrorTail.Length > 0 ? $"{Environment.NewLine}Last standard error:{Environment.NewLine}{exit.StandardErrorTail}" : "";
        return $"{subject}: {exit.Why}. No other call is affected.{tail}";
    }
}
