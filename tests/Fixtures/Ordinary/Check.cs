namespace Ordinary;

internal static class Check
{
    public static Func<Task> Sync(Action run) => () =>
    {
        run();
        return Task.CompletedTask;
    };

    public static void Is(bool condition)
    {
        if (!condition)
        {
            throw new InvalidOperationException("It ended, and wrongly.");
        }
    }
}
