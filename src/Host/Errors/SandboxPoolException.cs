namespace ProcessPool;

/// <summary>Whether plugin code may have run for a call that failed.</summary>
public enum Execution
{
    /// <summary>
    /// The entry point was not entered: the call may be made again without doing anything twice. (Reading its arguments may have run the converters and
    /// setters of their types.)
    /// </summary>
    NotStarted,

    /// <summary>The call was handed to a worker. Its effects may have happened, wholly or in part.</summary>
    Started,
}

/// <summary>Where a fault happened; what is known of it.</summary>
internal sealed record FaultSite(
    string? Pool, string? Worker = null, int? ProcessId = null, long? CallId = null, string? EntryPoint = null, Execution Execution = Execution.NotStarted,
    int? Incarnation = null);

/// <summary>The base of every error of a pool. Each call that fails gets an exception object of its own.</summary>
/// <remarks>The caller's own cancellation is not one of them: it is the usual <see cref="OperationCanceledException"/>.</remarks>
public abstract class SandboxPoolException : Exception
{
    internal SandboxPoolException(string message, FaultSite site, Exception? inner = null)
        : base(message, inner)
    {
        PoolName = site.Pool;
        WorkerName = site.Worker;
        ProcessId = site.ProcessId;
        Incarnation = site.Incarnation;
        CallId = site.CallId;
        EntryPoint = site.EntryPoint;
        Execution = site.Execution;
    }

    /// <summary>The pool's name, when it is known.</summary>
    public string? PoolName { get; }

    /// <summary>The worker's name, when a worker was involved.</summary>
    public string? WorkerName { get; }

    /// <summary>The sandbox's process id, when there was a process.</summary>
    public int? ProcessId { get; }

    /// <summary>Which of the pool's workers since its start it was, from 1: a name is used again, this number never.</summary>
    public int? Incarnation { get; }

    /// <summary>The call's number within its pool, when the error is about a call.</summary>
    public long? CallId { get; }

    /// <summary>The entry point's name, when the error is about a call.</summary>
    public string? EntryPoint { get; }

    /// <summary>Whether plugin code may have run.</summary>
    public Execution Execution { get; }
}
