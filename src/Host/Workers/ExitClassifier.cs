using ProcessPool.Protocol;

namespace ProcessPool.Workers;

/// <summary>From an exit code and the last words on standard error to a reason.</summary>
internal static class ExitClassifier
{
    private const int SignalBase = 128;
    private const int MaxSignal = 64;

    // https://man7.org/linux/man-pages/man7/signal.7.html, the numbers of x86 and arm.
    private static readonly string[] SignalNames =
    [
        "", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2",
        "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU",
        "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ];

    /// <summary>The signal's name, or null when the process exited by itself.</summary>
    /// <remarks>.NET reports death by signal n as 128 + n, which a process that exits with that number looks like too.</remarks>
    public static string? Signal(int exitCode) => (exitCode - SignalBase) switch
    {
        _ when OperatingSystem.IsWindows() => null,
        <= 0 or > MaxSignal => null,
        var number when number < SignalNames.Length => SignalNames[number],
        var number => $"signal {number}",
    };

    /// <summary>Why a process that the pool did not kill has ended.</summary>
    public static CrashReason Reason(int exitCode, string standardErrorTail) => Signal(exitCode) switch
    {
        // What the runtime prints before it aborts. Any other end was not for that reason, whatever a plugin has printed.
        { } signal when signal != "SIGABRT" => signal == "SIGKILL" ? CrashReason.KilledFromOutside : CrashReason.Crashed,
        // What the sandbox prints when it could not read a message.
        null when exitCode == SandboxExitCode.ProtocolError && standardErrorTail.Contains("System.OutOfMemoryException", StringComparison.Ordinal) => CrashReason.OutOfMemory,
        null when !OperatingSystem.IsWindows() => CrashReason.ExitCalled,
        _ when standardErrorTail.Contains("Stack overflow.", StringComparison.Ordinal) => CrashReason.StackOverflow,
        _ when standardErrorTail.Contains("Out of memory.", StringComparison.Ordinal)
            || standardErrorTail.Contains("Unhandled exception. System.OutOfMemoryException", StringComparison.Ordinal) => CrashReason.OutOfMemory,
        null when exitCode >= 0 => CrashReason.ExitCalled,
        _ => CrashReason.Crashed,
    };
}
