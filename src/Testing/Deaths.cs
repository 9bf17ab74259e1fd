using ProcessPool.Workers;

namespace ProcessPool.Testing;

/// <summary>What the exit of a worker looks like that died for a reason.</summary>
internal static class Deaths
{
    public static WorkerExit Of(CrashReason reason, string standardError)
    {
        var (exitCode, signal) = reason switch
        {
            CrashReason.Crashed => (139, "SIGSEGV"),
            CrashReason.ExitCalled => (1, null),
            CrashReason.StackOverflow or CrashReason.OutOfMemory => (134, "SIGABRT"),
            _ when Enum.IsDefined(reason) => (137, "SIGKILL"),
            _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "There is no such reason."),
        };
        return new WorkerExit(reason, exitCode, signal, standardError, TimeSpan.Zero, CallsServed: 0);
    }
}
