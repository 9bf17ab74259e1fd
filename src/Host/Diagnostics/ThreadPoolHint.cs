namespace ProcessPool.Diagnostics;

/// <summary>Whether it may be this program, and not the sandbox, that was too slow.</summary>
internal static class ThreadPoolHint
{
    public static string Now() => For(ThreadPool.ThreadCount, ThreadPool.PendingWorkItemCount, Environment.ProcessorCount);

    /// <summary>Empty unless work waits although there are more threads than processors, which is what blocked threads look like.</summary>
    public static string For(int threads, long waiting, int processors) =>
        waiting > 0 && threads > 2 * processors
            ? $" Or this program is the slow one: {waiting} work items wait for its thread pool, although it has {threads} threads on {processors} processors. Look for calls that block "
                + "threads of the thread pool (Task.Wait, Task.Result, CallBatch.Add in Parallel.For), and await instead."
            : "";
}
