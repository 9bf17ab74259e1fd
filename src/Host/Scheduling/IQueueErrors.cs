namespace ProcessPool.Scheduling;

/// <summary>How long a queue is, for errors.</summary>
internal readonly record struct QueueStatus(int Length, TimeSpan OldestAge);

/// <summary>What a queue does with calls that it does not keep: one error for each.</summary>
internal interface IQueueErrors
{
    Exception Full(Invocation call, QueueStatus status);

    Exception TimedOut(Invocation call, TimeSpan timeout, QueueStatus status);
}
