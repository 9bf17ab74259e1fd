using ProcessPool.Protocol;
using ProcessPool.Sandbox.Serving;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Sandbox;

/// <summary>A reply waits for what was logged before it, and for nothing else.</summary>
public sealed class HostNoticesTests
{
    [Fact]
    public async Task Whoever_waits_for_what_was_logged_does_not_wait_for_what_is_logged_later()
    {
        var host = new Host();
        var notices = new HostNotices(host, Timeout.InfiniteTimeSpan);
        notices.Log(Entry("first"));
        var taken = notices.TakenAsync();
        notices.Log(Entry("second"));
        Assert.False(taken.IsCompleted);
        host.Answer.Release();
        await taken.Within("the host has taken the first");
        Assert.Equal(["first", "second"], await host.TakesAsync(2));
        host.Answer.Release();
        await notices.FlushAsync().Within("all is sent");
    }

    [Fact]
    public async Task A_host_that_is_gone_keeps_nobody_waiting()
    {
        var host = new Host();
        var notices = new HostNotices(host, Timeout.InfiniteTimeSpan);
        notices.Log(Entry("first"));
        await host.TakesAsync(1);
        var taken = notices.TakenAsync();
        host.IsGone = true;
        host.Answer.Release();
        await taken.Within("the waiting ends");
        notices.Log(Entry("second"));
        await notices.TakenAsync().Within("nobody waits any more");
        await notices.FlushAsync().Within("the sending has ended");
    }

    private static PluginLogEntry Entry(string message) => new(2, "c", message, "");

    private sealed class Host : IHostControl
    {
        private readonly System.Threading.Channels.Channel<string> _taken = System.Threading.Channels.Channel.CreateUnbounded<string>();

        public SemaphoreSlim Answer { get; } = new(0);

        public bool IsGone { get; set; }

        public async Task<List<string>> TakesAsync(int count)
        {
            var taken = new List<string>();
            while (taken.Count < count)
            {
                taken.Add(await _taken.Reader.ReadAsync().AsTask().Within("an entry arrives"));
            }

            return taken;
        }

        public async Task LogAsync(PluginLogEntry entry)
        {
            _taken.Writer.TryWrite(entry.Message);
            await Answer.WaitAsync();
            if (IsGone)
            {
                throw new IOException("gone");
            }
        }

        public Task StageAsync(StartStage stage) => Task.CompletedTask;

        public Task PluginStageAsync(string stage) => Task.CompletedTask;
    }
}
