namespace ProcessPool.Scheduling;

/// <content>Calls that go together.</content>
internal sealed partial class InvocationQueue
{
    // Under way: what is behind a long call in one comes back, and needs takers that have not left.
    private int _chunks;

    /// <summary>Calls that were taken together, by themselves or as a bundle, have ended or gone elsewhere.</summary>
    public void ChunkEnds()
    {
        lock (_gate)
        {
            _chunks--;
            ReleaseTakersWhenDrained_NeedsLock();
        }
    }

    /// <summary>
    /// Takes more calls of the same entry point, which may go together with the first: those that are next, a fair share of them, and so many at most. If there are any, <see cref="ChunkEnds"/> is to be called.
    /// </summary>
    public void TakeMore(Taker taker, List<Invocation> calls, int max)
    {
        lock (_gate)
        {
            var share = (_count + _callers.Count + _affine.Count) / Math.Max(1, _affine.Count);
            max = Math.Min(max, share);
            while (calls.Count < max && (WaitingCalls.FirstOf(taker.Own, _calls) ?? _callers.First) is { } next && next.GoesWith(calls[0]))
            {
                Remove_NeedsLock(next);
                Take_NeedsLock(next);
                calls.Add(next);
            }

            _chunks += calls.Count > 1 ? 1 : 0;
        }
    }

    /// <summary>Whether a taker has nothing to do.</summary>
    public bool HasIdleTaker
    {
        get
        {
            lock (_gate)
            {
                return _takers.Count > 0;
            }
        }
    }

    /// <summary>Whether calls wait here that may not wait for ever, where waiting is limited.</summary>
    public bool HasLimited
    {
        get
        {
            lock (_gate)
            {
                return Lists_NeedsLock().Any(calls => calls.Limited > 0);
            }
        }
    }

    private Invocation? FirstCaller_NeedsLock(Taker taker) => _callers.FirstOrDefault(caller => (_affine.Of(caller) ?? taker) == taker);

    private Func<Invocation, Exception> Full_NeedsLock()
    {
        var status = Status_NeedsLock();
        return call => _errors.Full(call, status);
    }

    // Each item of a bundle fails by itself.
    private static void Fail(Invocation call, Func<Invocation, Exception> refuse)
    {
        for (var i = 0; i < (call.Bundle?.Count ?? 0); i++)
        {
            call.Bundle![i].Fail(refuse(call.Bundle[i]));
        }

        call.Fail(refuse(call));
    }
}
