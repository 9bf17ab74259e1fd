using ProcessPool.Protocol.Interop;

namespace ProcessPool.Scheduling;

/// <summary>
/// Decides whether a caller waits busily for its reply, for some tens of microseconds, before it is left to the poller: waking a thread costs more than a short
/// call. Only for a caller that makes one call after the other. Now and then one call is left alone, to see whether the caller really waits for it, and
/// what did not pay is not tried for a while. Thread-safe; what is lost in a race costs a spin more or less.
/// </summary>
internal sealed class CallerSpin
{
    /// <summary>So many calls in a row must each have been alone.</summary>
    private const int Alone = 16;

    /// <summary>Every so many calls one is left alone.</summary>
    private const int ProbeEvery = 256;

    private const int MaxSkips = 1024;

    private static readonly long Budget = TimeProvider.System.TimestampFrequency * 100 / 1_000_000;
    private static readonly bool HasRoom = LibC.Processors > 1 && Environment.ProcessorCount > 1;

    private int _inFlight;
    private int _alone;
    private int _skip;
    private int _skips;

    /// <summary>A call is made by this thread.</summary>
    public void Enter(Invocation call)
    {
        _alone = Interlocked.Increment(ref _inFlight) == 1 ? _alone + 1 : 0;
        if (HasRoom && _alone >= Alone && _alone % ProbeEvery != 0 && Pays())
        {
            call.SpinningThread = Environment.CurrentManagedThreadId;
        }
    }

    /// <summary>It was submitted: waits for its end on this thread, if that is worth while.</summary>
    public void Wait(Invocation call)
    {
        if (call.SpinningThread == 0)
        {
            return;
        }

        call.SpinningThread = 0;
        if (call.Unwatched is { } worker)
        {
            call.Unwatched = null;
            _skip = worker.Spin(call.Settled, TimeProvider.System.GetTimestamp() + Budget) ? _skips = 0 : _skips = Math.Min(MaxSkips, _skips * 2 + 1);
        }
    }

    /// <summary>It has ended.</summary>
    public void Leave() => Interlocked.Decrement(ref _inFlight);

    private bool Pays() => _skip <= 0 || _skip-- < 0;
}
