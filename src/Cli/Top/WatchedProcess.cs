using System.Diagnostics.Tracing;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using ProcessPool.Telemetry;

namespace ProcessPool.Cli.Top;

/// <summary>A process whose pools are watched, through the diagnostics port that every .NET runtime has.</summary>
internal sealed class WatchedProcess : IAsyncDisposable
{
    private const int BufferMegabytes = 16;

    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SilentFor = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan EmptyFor = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(1);

    private readonly EventPipeSession _session;
    private readonly Channel<Snapshot> _snapshots = Channel.CreateBounded<Snapshot>(new BoundedChannelOptions(4) { FullMode = BoundedChannelFullMode.DropOldest });

    private WatchedProcess(int id, EventPipeSession session)
    {
        Id = id;
        CommandLine = DotnetProcesses.CommandLine(id);
        _session = session;
        new Thread(Read) { IsBackground = true, Name = "events" }.Start();
    }

    public int Id { get; }

    public string CommandLine { get; }

    /// <summary>One each second, until the process ends. Who reads too slowly misses the oldest.</summary>
    public ChannelReader<Snapshot> Snapshots => _snapshots.Reader;

    /// <summary>Begins to watch.</summary>
    /// <param name="processId">The process.</param>
    /// <param name="cancellationToken">Ends the waiting for its answer.</param>
    /// <exception cref="UsageException">It cannot be watched.</exception>
    public static async Task<WatchedProcess> OpenAsync(int processId, CancellationToken cancellationToken)
    {
        if (!DotnetProcesses.Exists(processId))
        {
            throw new UsageException($"There is no process {processId}.");
        }

        if (!DotnetProcesses.HasPort(processId))
        {
            throw new UsageException($"Process {processId} has no diagnostics port: it is no .NET process, or was started with DOTNET_EnableDiagnostics=0 or another TMPDIR.");
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(AnswersWithin);
        try
        {
            var provider = new EventPipeProvider(SandboxPoolTelemetry.EventSourceName, EventLevel.Informational, (long)PoolEvents.Keywords.Snapshots);
            var session = await new DiagnosticsClient(processId).StartEventPipeSessionAsync([provider], requestRundown: false, BufferMegabytes, patience.Token).WaitAsync(patience.Token);
            return new WatchedProcess(processId, session);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UsageException($"Process {processId} does not answer within {AnswersWithin.TotalSeconds:0} s: it may be suspended.");
        }
        catch (Exception exception) when (IsDenied(exception))
        {
            throw new UsageException($"Process {processId} belongs to another user: run this command as that user.");
        }
        catch (Exception exception) when (exception is DiagnosticsClientException or IOException or SocketException)
        {
            throw new UsageException(DotnetProcesses.Exists(processId) ? $"Process {processId} cannot be watched: {exception.Message}" : $"Process {processId} has ended.");
        }
    }

    /// <summary>The first snapshot that has a pool; null when the process ends before.</summary>
    /// <exception cref="UsageException">There is none: it says nothing, or has no pool.</exception>
    public async Task<Snapshot?> FirstAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(SilentFor);
        var isEmpty = false;
        try
        {
            await foreach (var snapshot in Snapshots.ReadAllAsync(patience.Token))
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
                ? $"Process {Id} has no running pool: it has not started one yet, or has stopped it."
                : $"Process {Id} has said nothing of pools for {SilentFor.TotalSeconds:0} s: it has not started one, its ProcessPool is older than this command, or it is suspended.");
        }
    }

    /// <summary>The snapshot after the first, which has rates; the first, when none with a pool comes.</summary>
    public async Task<Snapshot> WithRatesAsync(Snapshot first, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(SilentFor);
        try
        {
            return await Snapshots.ReadAsync(patience.Token) is { Pools.Count: > 0 } second ? second : first;
        }
        catch (Exception exception) when (exception is ChannelClosedException || exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return first;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(StopsWithin);
            await _session.StopAsync(patience.Token).WaitAsync(patience.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or DiagnosticsClientException or IOException or SocketException)
        {
            // It has ended, or is suspended: then it notices later that nobody listens.
        }

        _session.Dispose();
    }

    private static bool IsDenied(Exception? exception) =>
        exception is not null && (exception is UnauthorizedAccessException or SocketException { SocketErrorCode: SocketError.AccessDenied } || IsDenied(exception.InnerException));

    private void Read()
    {
        try
        {
            var snapshots = new PoolSnapshots();
            using var events = new EventPipeEventSource(_session.EventStream);
            events.Dynamic.All += each =>
            {
                if (each.ProviderName == SandboxPoolTelemetry.EventSourceName
                    && snapshots.Take((int)each.ID, TimeSpan.FromMilliseconds(each.TimeStampRelativeMSec), [.. each.PayloadNames.Select((_, index) => each.PayloadValue(index))]) is { } snapshot)
                {
                    _snapshots.Writer.TryWrite(snapshot);
                }
            };
            events.Process();
        }
#pragma warning disable CA1031 // The bytes of a process that is killed, or lies, end anywhere.
        catch (Exception)
#pragma warning restore CA1031
        {
        }

        _snapshots.Writer.TryComplete();
    }
}
