using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>Fake time that tells of each timer that is armed, so that a test knows when to let time pass.</summary>
internal sealed class WatchedTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _armed = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Note(dueTime);
        return new WatchedTimer(timer, this);
    }

    /// <summary>Waits until a timer is armed for a span that fits, forgets it, and lets that span pass.</summary>
    public async Task<TimeSpan> PassNextAsync(Func<TimeSpan, bool> fits)
    {
        var due = await NextAsync(fits);
        Advance(due);
        return due;
    }

    /// <summary>Waits until a timer is armed for a span that fits, and forgets it.</summary>
    public async Task<TimeSpan> NextAsync(Func<TimeSpan, bool> fits)
    {
        while (true)
        {
            var due = await _armed.Reader.ReadAsync();
            if (fits(due))
            {
                return due;
            }
        }
    }

    private void Note(TimeSpan dueTime)
    {
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            _armed.Writer.TryWrite(dueTime);
        }
    }

    private sealed class WatchedTimer(ITimer timer, WatchedTime time) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = timer.Change(dueTime, period);
            time.Note(dueTime);
            return changed;
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
