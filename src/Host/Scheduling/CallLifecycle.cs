namespace ProcessPool.Scheduling;

/// <summary>How far a call has come.</summary>
internal enum CallPhase
{
    Queued,
    Assigned,
    Executing,
    Settled,
}

/// <summary>What happens to a call.</summary>
internal enum CallTrigger
{
    Assign,
    Return,
    Start,
    Settle,
}

/// <summary>
/// Where a call is. Several may write: its slot, its timers, its caller. Whoever settles it first has settled it; what comes later finds it
/// settled and changes nothing. A move that is not in the table throws.
/// </summary>
internal struct CallLifecycle
{
    private int _phase;

    public static TransitionTable<CallPhase, CallTrigger> Table { get; } = new(
        "call",
        (CallPhase.Queued, CallTrigger.Assign, CallPhase.Assigned),
        (CallPhase.Queued, CallTrigger.Settle, CallPhase.Settled),
        (CallPhase.Assigned, CallTrigger.Return, CallPhase.Queued),
        (CallPhase.Assigned, CallTrigger.Start, CallPhase.Executing),
        (CallPhase.Assigned, CallTrigger.Settle, CallPhase.Settled),
        (CallPhase.Executing, CallTrigger.Return, CallPhase.Queued),
        (CallPhase.Executing, CallTrigger.Start, CallPhase.Executing),
        (CallPhase.Executing, CallTrigger.Settle, CallPhase.Settled),
        (CallPhase.Settled, CallTrigger.Assign, CallPhase.Settled),
        (CallPhase.Settled, CallTrigger.Return, CallPhase.Settled),
        (CallPhase.Settled, CallTrigger.Start, CallPhase.Settled),
        (CallPhase.Settled, CallTrigger.Settle, CallPhase.Settled));

    public CallPhase Phase => (CallPhase)Volatile.Read(ref _phase);

    /// <returns>The phase before.</returns>
    public CallPhase Fire(CallTrigger on)
    {
        while (true)
        {
            var from = Phase;
            var to = Table.Next(from, on);
            if (Interlocked.CompareExchange(ref _phase, (int)to, (int)from) == (int)from)
            {
                return from;
            }
        }
    }
}
