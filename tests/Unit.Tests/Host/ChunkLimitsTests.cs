using Microsoft.Extensions.Time.Testing;
using ProcessPool.Scheduling;
using ProcessPool.Supervision;

namespace ProcessPool.Unit.Tests.Host;

public sealed class ChunkLimitsTests
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void One_that_replies_to_nothing_is_overdue_after_twice_the_longest_limit_the_grace_and_three_seconds()
    {
        var limits = new ChunkLimits(new QueuedCalls([Some.Call(timeout: TimeSpan.FromSeconds(5)), Some.Call()]), Settings(TimeSpan.FromSeconds(1)));
        Assert.Equal(TimeSpan.FromSeconds(5), limits.Of(0));
        Assert.Equal(TimeSpan.FromSeconds(1), limits.Of(1));
        Assert.Equal(TimeSpan.FromSeconds(15), After(limits, owed: 0));
    }

    [Fact]
    public void Without_a_limit_only_one_that_owes_nothing_is_overdue_and_from_when_on_it_does()
    {
        var limits = new ChunkLimits(new QueuedCalls([Some.Call(timeout: TimeSpan.FromSeconds(5)), Some.Call()]), Settings(null));
        Assert.Null(After(limits, owed: 0));
        Assert.Equal(TimeSpan.FromSeconds(5), After(limits, owed: -1));
    }

    [Fact]
    public void While_this_program_is_suspended_no_time_passes()
    {
        var limits = new ChunkLimits(new QueuedCalls([Some.Call()]), Settings(TimeSpan.FromSeconds(1)));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.FromSeconds(7), After(limits, owed: 0));
    }

    private PoolSettings Settings(TimeSpan? callTimeout) =>
        Some.Settings(options => (options.CallTimeout, options.CancelGrace, options.TimeProvider) = (callTimeout, TimeSpan.FromSeconds(2), _time));

    /// <summary>How long it takes, by looks as the pool makes them; null: more than a minute.</summary>
    private TimeSpan? After(ChunkLimits limits, int owed)
    {
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(1); passed += Look, _time.Advance(Look))
        {
            if (limits.IsOverdue(new ChunkLook(false, false, -1, false, owed, true, false)))
            {
                return passed - Look;
            }
        }

        return null;
    }
}
