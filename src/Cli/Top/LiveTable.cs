using Spectre.Console;

namespace ProcessPool.Cli.Top;

/// <summary>The table on a terminal, drawn again for each snapshot.</summary>
internal static class LiveTable
{
    /// <summary>Draws until the process ends, or q is pressed.</summary>
    /// <returns>Whether the process has ended.</returns>
    public static async Task<bool> RunAsync(WatchedProcess process, Snapshot first, CancellationToken cancellationToken)
    {
        using var quit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (!Console.IsInputRedirected)
        {
            new Thread(() => WaitForQuit(quit)) { IsBackground = true, Name = "keys" }.Start();
        }

        var title = $"process {process.Id} (q ends)  {process.CommandLine}";
        try
        {
            await AnsiConsole.Live(PoolTable.Of(title, first)).Overflow(VerticalOverflow.Ellipsis).StartAsync(async context =>
            {
                context.Refresh();
                await foreach (var snapshot in process.Snapshots.ReadAllAsync(quit.Token))
                {
                    context.UpdateTarget(PoolTable.Of(title, snapshot));
                }
            });
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private static void WaitForQuit(CancellationTokenSource quit)
    {
        try
        {
            while (Console.ReadKey(intercept: true).KeyChar is not ('q' or 'Q'))
            {
            }

            quit.Cancel();
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException)
        {
            // No keys can be read: Ctrl+C is left. (An ObjectDisposedException too: it has ended already.)
        }
    }
}
