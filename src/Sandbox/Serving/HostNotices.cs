using System.Threading.Channels;
using ProcessPool.Protocol;

namespace ProcessPool.Sandbox.Serving;

/// <summary>
/// What a plugin tells its host on the control channel: stages at once, log entries one after the other, each when the one before was answered. Of those
/// that wait, the latest 1,024 are kept.
/// </summary>
internal sealed class HostNotices
{
    private const int Kept = 1024;
    private const int MaxStageLength = 256;

    /// <summary>How long a host may take to write what was logged; then the reply does not wait for it any more.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private readonly IHostControl _host;
    private readonly Channel<PluginLogEntry> _entries;
    private readonly List<TaskCompletionSource> _takers = [];
    private readonly Task _sending;
    private int _stages;
    private int _waiting;

    public HostNotices(IHostControl host)
    {
        _host = host;
        _entries = Channel.CreateBounded<PluginLogEntry>(new BoundedChannelOptions(Kept) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }, _ => Left());
        _sending = Task.Run(SendAsync);
    }

    public void Log(PluginLogEntry entry)
    {
        Interlocked.Increment(ref _waiting);
        if (!_entries.Writer.TryWrite(entry))
        {
            Left();
        }
    }

    /// <summary>Ends when the host has taken what was logged until now, or does not take it in time.</summary>
    public async Task TakenAsync()
    {
        if (Volatile.Read(ref _waiting) == 0)
        {
            return;
        }

        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_takers)
        {
            _takers.Add(taken);
        }

        if (Volatile.Read(ref _waiting) == 0)
        {
            taken.TrySetResult();
        }

        await taken.Task.WaitAsync(Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_takers)
        {
            _takers.Remove(taken);
        }
    }

    public void Stage(string stage)
    {
        if (Interlocked.Increment(ref _stages) <= WireLimits.MaxStages / 2)
        {
            _ = _host.PluginStageAsync(LogEntry.Cut(stage ?? "", MaxStageLength));
        }
    }

    /// <summary>Ends when everything has been sent.</summary>
    public Task FlushAsync()
    {
        _entries.Writer.TryComplete();
        return _sending;
    }

    private async Task SendAsync()
    {
        try
        {
            await foreach (var entry in _entries.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                await _host.LogAsync(entry).ConfigureAwait(false);
                Left();
            }
        }
        catch (Exception)
        {
            // The host is gone, or is about to end this process.
        }
    }

    private void Left()
    {
        if (Interlocked.Decrement(ref _waiting) == 0)
        {
            lock (_takers)
            {
                _takers.ForEach(taken => taken.TrySetResult());
                _takers.Clear();
            }
        }
    }
}
