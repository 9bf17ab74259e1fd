using ProcessPool.Binding.Payload;

namespace ProcessPool.Binding.Streams;

/// <summary>
/// A progress handler that the caller passed. Reports are sent one after the other, each when the one before has arrived; of those that wait, at most
/// 64 are kept, the latest.
/// </summary>
internal sealed class HostProgress<T>(int index, HostLink host, PayloadJson json) : IProgress<T>
{
    private const int Kept = 64;

    private readonly Lock _gate = new();
    private readonly Queue<(ReadOnlyMemory<byte> Json, ReadOnlyMemory<byte>[] Attachments)> _waiting = new();
    private Task _sending = Task.CompletedTask;

    public void Report(T value)
    {
        // Now, not when it is sent: the value may change meanwhile. What cannot be serialized throws at the plugin.
        var report = json.Write(value, typeof(T));
        lock (_gate)
        {
            _waiting.Enqueue(report);
            if (_waiting.Count > Kept)
            {
                _waiting.Dequeue();
            }

            if (_sending.IsCompleted)
            {
                _sending = Task.Run(SendAsync);
            }
        }
    }

    /// <summary>Ends when what was reported has been sent.</summary>
    public async Task FlushAsync()
    {
        Task sending;
        lock (_gate)
        {
            sending = _sending;
        }

        // What the host does with a report is not the plugin's business.
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task SendAsync()
    {
        while (true)
        {
            (ReadOnlyMemory<byte> Json, ReadOnlyMemory<byte>[] Attachments) report;
            lock (_gate)
            {
                if (!_waiting.TryDequeue(out report))
                {
                    _sending = Task.CompletedTask;
                    return;
                }
            }

            try
            {
                await host.AskAsync(LiveReference.Target(index, LiveReference.Report), report.Json, report.Attachments, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                // Nobody waits for it in the plugin; the host has it in its log. The next one may be better.
                await Console.Error.WriteLineAsync($"A report of progress is lost: {exception.Message}").ConfigureAwait(false);
            }
        }
    }
}

/// <summary>Nobody listens.</summary>
internal sealed class NoProgress<T> : IProgress<T>
{
    public void Report(T value)
    {
    }
}
