namespace ProcessPool.Workers;

/// <summary>Makes those who come too often wait: so many in each second, the others in the next. Thread-safe.</summary>
internal sealed class RatePacer(int perSecond, TimeProvider time)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long _since = time.GetTimestamp();
    private int _count;

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (TryPass() is { } wait)
        {
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        }
    }

    // Null, or how long until the next second begins.
    private TimeSpan? TryPass()
    {
        lock (_gate)
        {
            var elapsed = time.GetElapsedTime(_since);
            if (elapsed >= Second)
            {
                _since = time.GetTimestamp();
                _count = 0;
                elapsed = TimeSpan.Zero;
            }

            return _count < perSecond && ++_count > 0 ? null : Second - elapsed;
        }
    }
}
