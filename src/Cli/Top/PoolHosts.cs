using System.Threading.Channels;

namespace ProcessPool.Cli.Top;

/// <summary>Waits for what a process tells, and finds the one that has something to tell.</summary>
internal static class PoolHosts
{
    private static readonly TimeSpan AskFor = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SilentFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EmptyFor = TimeSpan.FromSeconds(3);

    /// <summary>The first snapshot that has a pool; null when the process ends before.</summary>
    /// <exception cref="UsageException">There is none: it says nothing, or has no pool.</exception>
    public static async Task<Snapshot?> FirstAsync(WatchedProcess process, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(SilentFor);
        var isEmpty = false;
        try
        {
            await foreach (var snapshot in process.Snapshots.ReadAllAsync(patience.Token))
            {
                if (snapshot.Pools.Count > 0)
                {
                    return snapshot;
                }

                if (!isEmpty)
                {
                    isEmpty = true;
                    patience.CancelAfter(EmptyFor);
                }
            }

            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UsageException(isEmpty
                ? $"Process {process.Id} has no running pool: it has not started one yet, or has stopped it."
                : $"Process {process.Id} has said nothing of pools for {SilentFor.TotalSeconds:0} s: it has not started one, its ProcessPool is older than this command, or it is suspended.");
        }
    }

    /// <summary>The snapshot after the first, which has rates; the first, when none with a pool comes.</summary>
    public static async Task<Snapshot> WithRatesAsync(WatchedProcess process, Snapshot first, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(EmptyFor);
        try
        {
            return await process.Snapshots.ReadAsync(patience.Token) is { Pools.Count: > 0 } second ? second : first;
        }
        catch (Exception exception) when (exception is ChannelClosedException || exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return first;
        }
    }

    /// <summary>The only process that has a pool.</summary>
    /// <exception cref="UsageException">There is none, or there are several: the message lists them.</exception>
    public static async Task<WatchedProcess> FindOnlyAsync(CancellationToken cancellationToken)
    {
        var candidates = DotnetProcesses.Candidates();
        var hosts = (await Task.WhenAll(candidates.Select(candidate => HostsPoolsAsync(candidate, cancellationToken)))).Zip(candidates).Where(each => each.First).Select(each => each.Second).ToList();
        if (hosts is [var only])
        {
            return await WatchedProcess.OpenAsync(only, cancellationToken);
        }

        const string FoundWhen = "A process is found once it has started a pool, if it runs as this user (root finds all), with this TMPDIR, and not with DOTNET_EnableDiagnostics=0.";
        var (why, what) = (hosts.Count, candidates.Count) switch
        {
            ( > 1, _) => ("Several processes have pools:", "To watch one: processpool top PID"),
            (_, > 0) => ("No process has a running pool. These were asked:", FoundWhen),
            _ => ("There is no .NET process that can be asked.", FoundWhen),
        };
        var lines = (hosts.Count > 0 ? hosts : candidates).Where(DotnetProcesses.Exists).Select(processId => $"  {processId,7}  {DotnetProcesses.CommandLine(processId)}");
        throw new UsageException(string.Join(Environment.NewLine, [why, .. lines, what]));
    }

    private static async Task<bool> HostsPoolsAsync(int processId, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(AskFor);
        try
        {
            await using var process = await WatchedProcess.OpenAsync(processId, patience.Token);
            return await FirstAsync(process, patience.Token) is not null;
        }
        catch (Exception exception) when (exception is UsageException || exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
