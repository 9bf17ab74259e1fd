namespace ProcessPool.Diagnostics;

internal static class ForgottenTask
{
    /// <summary>Nobody will ask how this task ends: a failure is not reported as unobserved.</summary>
    public static void Forget(this Task task) => task.ContinueWith(
        static failed => _ = failed.Exception,
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}
