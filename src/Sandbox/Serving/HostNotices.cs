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

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly IHostControl _host;
    private readonly TimeSpan _patience;
    private readonly Channel<Notice> _notices;
    private readonly Task _sending;
    private int _stages;
    private int _waiting;

    // What a reply has waited for in vain; until the host has taken that, no other waits.
    private volatile Task _late = Task.CompletedTask;

    /// <param name="host">Who is told.</param>
    /// <param name="patience">How long a host may take to write what was logged; then no reply waits for it any more, until it has. Default: two seconds.</param>
    public HostNotices(IHostControl host, TimeSpan? patience = null)
    {
        (_host, _patience) = (host, patience ?? Patience);
        _notices = Channel.CreateBounded<Notice>(new BoundedChannelOptions(Kept) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }, Left);
        _sending = Task.Run(SendAsync);
    }

    public void Log(PluginLogEntry entry)
    {
        Interlocked.Increment(ref _waiting);
        _ = _notices.Writer.TryWrite(new Notice(entry, null));
    }

    /// <summary>Ends when the host has taken what was logged until now, or does not take it in time.</summary>
    public async Task TakenAsync()
    {
        if (Volatile.Read(ref _waiting) == 0 || !_late.IsCompleted)
        {
            return;
        }

        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_notices.Writer.TryWrite(new Notice(null, taken)))
        {
            await taken.Task.WaitAsync(_patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!taken.Task.IsCompleted)
            {
                _late = taken.Task;
            }
        }
    }

    public void Stage(string stage)
    {
        if (Interlocked.Increment(ref _stages) <= WireLimits.MaxStages / 2)
        {
            _ = _host.PluginStageAsync(ForeignText.Cut(stage ?? "", MaxStageLength));
        }
    }

    /// <summary>Ends when everything has been sent.</summary>
    public Task FlushAsync()
    {
        _notices.Writer.TryComplete();
        return _sending;
    }

    private async Task SendAsync()
    {
        try
        {
            await foreach (var notice in _notices.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                if (notice.Entry is { } entry)
                {
                    await _host.LogAsync(entry).ConfigureAwait(false);
                }

                Left(notice);
            }
        }
        catch (Exception)
        {
            // The host is gone, or is about to end this process.
            _notices.Writer.TryComplete();
            while (_notices.Reader.TryRead(out var notice))
            {
                Left(notice);
            }
        }
    }

    private void Left(Notice notice)
    {
        notice.Taken?.TrySetResult();
        if (notice.Entry is not null)
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Something that was logged; or, in its place among it, somebody who waits for what was logged before.</summary>
    private readonly record struct Notice(PluginLogEntry? Entry, TaskCompletionSource? Taken);
}
