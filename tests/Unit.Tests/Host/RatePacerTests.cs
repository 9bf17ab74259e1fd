using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

public sealed class RatePacerTests
{
    [Fact]
    public async Task So_many_pass_in_a_second_and_the_others_in_the_next()
    {
        var time = new WatchedTime();
        var pacer = new RatePacer(2, time);
        Assert.True(pacer.WaitAsync(CancellationToken.None).IsCompleted && pacer.WaitAsync(CancellationToken.None).IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(400));
        var third = pacer.WaitAsync(CancellationToken.None);
        Assert.False(third.IsCompleted, "Expected the third to wait.");
        time.Advance(TimeSpan.FromMilliseconds(600));
        await third.Within("a second has passed");
        Task[] later = [.. Enumerable.Range(0, 5).Select(_ => pacer.WaitAsync(CancellationToken.None))];
        Assert.Equal(1, later.Count(wait => wait.IsCompleted));
        time.Advance(TimeSpan.FromSeconds(1));
        while (later.Count(wait => wait.IsCompleted) < 3)
        {
            await Task.WhenAny(later.Where(wait => !wait.IsCompleted)).Within("two more pass");
        }

        Assert.Equal(3, later.Count(wait => wait.IsCompleted));
    }
}
