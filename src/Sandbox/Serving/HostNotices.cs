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

    private readonly IHostControl _host;
    private readonly Channel<PluginLogEntry> _entries = Channel.CreateBounded<PluginLogEntry>(
        new BoundedChannelOptions(Kept) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly Task _sending;
    private int _stages;

    public HostNotices(IHostControl host)
    {
        _host = host;
        _sending = Task.Run(SendAsync);
    }

    public void Log(PluginLogLevel level, string message, Exception? exception, string? category) => _entries.Writer.TryWrite(new PluginLogEntry(
        (int)level, Cut(category ?? "", WireLimits.MaxErrorMessage), Cut(message ?? "", WireLimits.MaxErrorMessage), Cut(exception is null ? "" : Text(exception), WireLimits.MaxStackTrace)));

    public void Stage(string stage)
    {
        if (Interlocked.Increment(ref _stages) <= WireLimits.MaxStages / 2)
        {
            _ = _host.PluginStageAsync(Cut(stage ?? "", MaxStageLength));
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
            }
        }
        catch (Exception)
        {
            // The host is gone, or is about to end this process.
        }
    }

    private static string Text(Exception exception)
    {
        try
        {
            return exception.ToString();
        }
        catch (Exception thrown)
        {
            return $"{exception.GetType()} (reading it threw {thrown.GetType().Name})";
        }
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length] + "…";
}
