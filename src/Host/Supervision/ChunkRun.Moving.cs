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

            if (_moving is null or { Task.IsCompleted: true } && (!look.GoesOn && supervisor.Queue.HasIdleTaker || _limits.AreBehindForLong(look, othersWait: supervisor.Queue.Count > 0)))
            {
                open = _progress.OpenBehind(look);
                _moving = open.Count > 0 ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : null;
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
        try
        {
            foreach (var call in await RevokeAsync(open).ConfigureAwait(false))
            {
                supervisor.PutBack(call, isMoved: true);
            }
        }
        finally
        {
            _moving!.SetResult();
        }
    }

    // What was taken back is in the queue before its worker asks for more, or finds that there is no more.
    private Task MovedAsync()
    {
        lock (_gate)
        {
            return _moving?.Task ?? Task.CompletedTask;
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

        foreach (var call in await RevokeAsync(open).ConfigureAwait(false))
        {
            supervisor.CallFinishes();
            call.Cancel();
        }

        open.ForEach(Leave);
    }

    /// <summary>Takes back those that have not begun.</summary>
    /// <returns>Them, from the last one on: put back one by one, the first one is first in the queue again.</returns>
    private async Task<List<Invocation>> RevokeAsync(List<int> open)
    {
        var revoked = (await _worker.RevokeAsync(open.ConvertAll(calls.IdOf)).ConfigureAwait(false)).ToHashSet();
        var taken = new List<Invocation>();
        for (var i = open.Count - 1; i >= 0; i--)
        {
            CallWatch? watch = null;
            lock (_gate)
            {
                if (_isOver || _progress.IsAnswered(open[i]) || !revoked.Contains(calls.IdOf(open[i])) || calls.IsSettled(open[i]) || _watches.Told(open[i]) is not null)
                {
                    continue;
                }

                _progress.Take(open[i]);
                watch = _watches.Take(open[i]);
                taken.Add(calls[open[i]]);
            }

            watch?.Dispose();
            if (watch is { Killed: true })
            {
                (_killed, _told) = (true, watch.Reason);
            }
        }

        return taken;
    }
}
