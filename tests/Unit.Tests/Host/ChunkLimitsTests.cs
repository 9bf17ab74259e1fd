using Microsoft.Extensions.Time.Testing;
using ProcessPool.Scheduling;
using ProcessPool.Supervision;

namespace ProcessPool.Unit.Tests.Host;

public sealed class ChunkLimitsTests
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly DateTimeOffset _begun;

    public ChunkLimitsTests() => _begun = _time.GetUtcNow();

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

    [Theory]
    [InlineData(400, 100)]
    [InlineData(60_000, 1_000)]
    public void Those_behind_are_to_wait_in_the_queue_after_a_quarter_of_the_time_or_a_second(int wait, int expected)
    {
        var settings = Settings(null, TimeSpan.FromMilliseconds(wait));
        var calls = new ChunkLimits(new QueuedCalls([Some.Call(), Some.Call()]), settings);
        var items = new ChunkLimits(new Bundle("Do", 1, 2), settings);
        foreach (var (at, isLong) in new[] { (0, false), (expected - 1, false), (expected, true), (3 * expected, true) })
        {
            _time.Advance(_begun + TimeSpan.FromMilliseconds(at) - _time.GetUtcNow());
            Assert.Equal((isLong, isLong), (calls.MustMove(Stands(owesMore: true), areOthersLimited: false), items.MustMove(Stands(owesMore: true), areOthersLimited: true)));
            Assert.False(calls.MustMove(Stands(owesMore: false), areOthersLimited: true) || items.MustMove(Stands(owesMore: true), areOthersLimited: false), "Expected nobody to be behind.");
        }
    }

    [Theory]
    [InlineData(true, 11.25)]
    [InlineData(false, null)]
    public void One_that_keeps_calls_which_may_not_wait_for_ever_is_overdue_after_that_time_and_ten_seconds_whatever_it_replies(bool owesMore, double? seconds)
    {
        var limits = new ChunkLimits(new QueuedCalls([Some.Call(), Some.Call()]), Settings(null, TimeSpan.FromSeconds(1)));
        Assert.Equal(seconds is null ? null : TimeSpan.FromSeconds(seconds.Value), After(limits, new ChunkLook(true, HasReplied: true, 0, false, 0, false, owesMore)));
    }

    [Fact]
    public void While_this_program_is_suspended_no_time_passes()
    {
        var limits = new ChunkLimits(new QueuedCalls([Some.Call()]), Settings(TimeSpan.FromSeconds(1)));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.FromSeconds(7), After(limits, owed: 0));
    }

    private PoolSettings Settings(TimeSpan? callTimeout, TimeSpan? queueTimeout = null) =>
        Some.Settings(options => (options.CallTimeout, options.QueueTimeout, options.CancelGrace, options.TimeProvider) = (callTimeout, queueTimeout, TimeSpan.FromSeconds(2), _time));

    private static ChunkLook Stands(bool owesMore) => new(false, false, -1, false, 0, true, owesMore);

    /// <summary>How long it takes, by looks as the pool makes them; null: more than a minute.</summary>
    private TimeSpan? After(ChunkLimits limits, int owed) => After(limits, new ChunkLook(false, false, -1, false, owed, true, false));

    private TimeSpan? After(ChunkLimits limits, ChunkLook look)
    {
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(1); passed += Look, _time.Advance(Look))
        {
            if (limits.IsOverdue(look))
            {
                return passed - Look;
            }
        }

        return null;
    }
}
