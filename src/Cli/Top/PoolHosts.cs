namespace ProcessPool.Cli.Top;

/// <summary>Finds the process that has pools.</summary>
internal static class PoolHosts
{
    private static readonly TimeSpan AskFor = TimeSpan.FromSeconds(3);

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
            return await process.FirstAsync(patience.Token) is not null;
        }
        catch (Exception exception) when (exception is UsageException || exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
