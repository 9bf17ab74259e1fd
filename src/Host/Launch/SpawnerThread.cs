using System.Collections.Concurrent;

namespace ProcessPool.Launch;

/// <summary>
/// The one thread of this process that starts sandboxes. Being one, it is also the spawn lock: pipe creation, start and disposal of the
/// handles meant for the child happen without another start in between, which would inherit them and keep the pipes open.
/// Being long-lived, it never ends under a child that asked to be told of its parent thread's death.
/// </summary>
internal static class SpawnerThread
{
    private static readonly BlockingCollection<Action> Work = [];

    static SpawnerThread() => new Thread(Run) { IsBackground = true, Name = "sandbox spawner" }.Start();

    /// <summary>Runs a start on the thread.</summary>
    public static Task<T> RunAsync<T>(Func<T> start)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add(() =>
        {
            try
            {
                done.SetResult(start());
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        });
        return done.Task;
    }

    private static void Run()
    {
        foreach (var start in Work.GetConsumingEnumerable())
        {
            start();
        }
    }
}
