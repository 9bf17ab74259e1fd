using ProcessPool.Diagnostics;

namespace ProcessPool.Unit.Tests.Host;

public sealed class ThreadPoolHintTests
{
    [Fact]
    public void A_thread_pool_with_blocked_threads_is_named_as_a_reason_for_a_slow_start()
    {
        var hint = ThreadPoolHint.For(threads: 143, waiting: 39, processors: 2);
        Assert.Contains("39 work items", hint);
        Assert.Contains("143 threads on 2 processors", hint);
    }

    [Theory]
    [InlineData(143, 0)]
    [InlineData(3, 39)]
    public void A_thread_pool_that_is_idle_or_only_busy_is_not_named(int threads, long waiting) => Assert.Empty(ThreadPoolHint.For(threads, waiting, 2));
}
