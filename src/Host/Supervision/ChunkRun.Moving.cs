using ProcessPool.Scheduling;

namespace ProcessPool.Supervision;

/// <content>Whether the calls go on, and what is taken back when they do not.</content>
internal sealed partial class ChunkRun
{
    /// <summary>Whether the calls go on; if not, and somebody else could run them or they may not wait for ever, those that have not begun go back to the queue.</summary>
    private void LookAfter()
    {
        List<int> open = [];
        List<CallWatch> watches;
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            var look = _progress.Look(_worker.ReadMark(), IsLetGo_NeedsLock);
            watches = WatchNow_NeedsLock(look);
            if (_limits.IsOverdue(look))
            {
                _worker.Kill(CrashReason.ProtocolViolation);
            }

            var isWanted = !look.GoesOn && supervisor.Queue.HasIdleTaker;
            if (!_isMoving && (isWanted || settings.QueueTimeout is not null && _limits.MustMove(look, supervisor.Queue.HasLimited)))
            {
                open = _progress.Movable(look);
                _isMoving = open.Count > 0;
            }
        }

        watches.ForEach(watch => watch.Arm(_poolStopped));
        if (open.Count > 0)
        {
            _ = MoveAsync(open);
        }
    }

    /// <summary>
    /// What is to be watched from now on: a call whose caller left in the moment in which it began; one that has executed since the look before, by the worker's word, if its time is limited; and the one
    /// that is owed since then: its reply is on its way, or the worker's word is none.
    /// </summary>
    private List<CallWatch> WatchNow_NeedsLock(ChunkLook look)
    {
        var watches = new List<CallWatch>();
        if (look.Named >= 0 && !_watches.Has(look.Named) && (calls.IsSettled(look.Named) || look.IsNamedAgain && _limits.Of(look.Named) is not null))
        {
            watches.Add(_watches.Add(look.Named, wasBegun: true));
        }

        if (look.Owed >= 0 && look.IsOwedAgain && !_watches.Has(look.Owed) && _limits.Of(look.Owed) is not null)
        {
            watches.Add(_watches.Add(look.Owed, wasBegun: look.Named > look.Owed));
        }

        return watches;
    }

    private bool IsLetGo_NeedsLock(int index) => calls.IsSettled(index) && !_watches.Has(index);

    private async Task MoveAsync(List<int> open)
    {
        await RevokeAsync(open, call => supervisor.PutBack(call, isMoved: true)).ConfigureAwait(false);
        lock (_gate)
        {
            _isMoving = false;
        }
    }

    /// <summary>Whoever wants all of them has left.</summary>
    private async Task LeaveAsync()
    {
        List<int> open;
        lock (_gate)
        {
            open = _progress.Open;
        }

        await RevokeAsync(open, call =>
        {
            supervisor.CallFinishes();
            call.Cancel();
        }).ConfigureAwait(false);
        open.ForEach(Leave);
    }

    /// <summary>Takes back those that have not begun. That is done before the chunk's worker asks for more, or finds that there is no more.</summary>
    private async Task RevokeAsync(List<int> open, Action<Invocation> then)
    {
        var revoked = (await _worker.RevokeAsync(open.ConvertAll(calls.IdOf)).ConfigureAwait(false)).ToHashSet();
        var taken = new List<Invocation>();
        var watches = new List<CallWatch>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            foreach (var index in open.Where(index => revoked.Contains(calls.IdOf(index)) && CanTake_NeedsLock(index)))
            {
                taken.Add(calls[index]);
                _progress.Take(index);
                if (_watches.Take(index) is { } watch)
                {
                    watches.Add(watch);
                }
            }

            if (taken.Count > 0)
            {
                _returning.Add(done.Task);
            }
        }

        try
        {
            foreach (var watch in watches)
            {
                watch.Dispose();
                if (watch.Killed)
                {
                    (_killed, _told) = (true, watch.Reason);
                }
            }

            taken.ForEach(then);
        }
        finally
        {
            done.SetResult();
        }
    }

    // What has asked its host for something has begun, whatever its worker says.
    private bool CanTake_NeedsLock(int index) => !_isOver && !_progress.IsAnswered(index) && !calls.IsSettled(index) && _watches.Told(index) is null && !calls.HasAsked(index);
}
