using System.Diagnostics;
using ProcessPool.Protocol;

namespace ProcessPool.Sandbox.Serving;

using Reply = (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error);

/// <summary>The call that executes just now: a stream's call does until its last item, or until it is ended.</summary>
internal sealed class RunningCall : IDisposable
{
    private const int Running = 0;
    private const int Cancelled = 1;
    private const int Over = 2;

    private readonly bool _measures;
    private readonly long _startedAt;
    private readonly TimeSpan _cpuBefore;
    private readonly long _allocatedBefore;
    private CancellationTokenSource? _cancel;
    private int _phase;

    // Not the request itself: whatever the plugin starts and keeps (a timer) keeps this object, and would keep the payload.
    public RunningCall(long id, string entryPoint, bool measures)
    {
        Id = id;
        EntryPoint = entryPoint;
        _measures = measures;
        if (_measures)
        {
            _startedAt = Stopwatch.GetTimestamp();
            _cpuBefore = Environment.CpuUsage.TotalTime;
            _allocatedBefore = GC.GetTotalAllocatedBytes(precise: true);
        }
    }

    public long Id { get; }

    public string EntryPoint { get; }

    /// <summary>The plugin's token. Made when it is asked for: most calls take none.</summary>
    public CancellationToken Token
    {
        get
        {
            var cancel = _cancel ??= new CancellationTokenSource();
            if (Interlocked.CompareExchange(ref _phase, Running, Running) == Cancelled)
            {
                _ = cancel.CancelAsync();
            }

            return cancel.Token;
        }
    }

    /// <summary>The items that follow the first chunk, if it is a stream.</summary>
    public IAsyncEnumerator<Reply>? Stream { get; set; }

    /// <summary>Its span; null: it is not traced.</summary>
    public CallSpan? Span { get; set; }

    /// <summary>Nothing may be asked of the host for it any more.</summary>
    public bool IsOver => Volatile.Read(ref _phase) == Over;

    /// <summary>What it has used; null when nobody asked.</summary>
    public CallUsage? Usage => _measures
        ? new CallUsage(Stopwatch.GetElapsedTime(_startedAt).Ticks, (Environment.CpuUsage.TotalTime - _cpuBefore).Ticks, GC.GetTotalAllocatedBytes(precise: true) - _allocatedBefore)
        : null;

    /// <summary>Whatever the plugin does when it is cancelled, it does not do it here.</summary>
    public void Cancel()
    {
        try
        {
            if (Interlocked.CompareExchange(ref _phase, Cancelled, Running) == Running)
            {
                _ = _cancel?.CancelAsync();
            }
        }
        catch (ObjectDisposedException)
        {
            // It has just ended.
        }
    }

    /// <summary>Ends it, in the middle of a stream too.</summary>
    public async Task EndAsync()
    {
        try
        {
            if (Stream is { } stream)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        Volatile.Write(ref _phase, Over);
        _cancel?.Dispose();
    }
}
