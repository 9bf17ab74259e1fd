using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Faults;

/// <summary>A plugin that attacks its own connection to the host: its call fails, its worker is over, everyone else goes on.</summary>
public sealed class HostilePluginTests
{
    private static readonly string Hostile = PluginSource.Members("""
        // exec Sandbox.dll --processpool-pipes controlIn controlOut callsIn callsOut recorder scratch
        private static string Argument(int index) => File.ReadAllText("/proc/self/cmdline").Split('\0').SkipWhile(part => part != "--processpool-pipes").ElementAt(index);

        [EntryPoint] public static long Square(long value) => value * value;

        [EntryPoint] public static void Garbage(int pipe, int bytes)
        {
            var garbage = new byte[bytes];
            new Random(1).NextBytes(garbage);
            write(int.Parse(Argument(pipe)), garbage, bytes);
            Thread.Sleep(Timeout.Infinite);
        }

        [EntryPoint] public static void HalfAFrame()
        {
            write(int.Parse(Argument(4)), new byte[] { 0, 0, 16, 0, 1, 2, 3 }, 7);
            Thread.Sleep(Timeout.Infinite);
        }

        [EntryPoint] public static void Close(int pipe) { close(int.Parse(Argument(pipe))); Thread.Sleep(Timeout.Infinite); }

        [EntryPoint] public static void DieUnbegun()
        {
            // The recorder shall say that nothing was begun.
            using (var recorder = new FileStream($"/proc/self/fd/{Argument(5)}", FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) { recorder.Write(new byte[64]); }
            kill(Environment.ProcessId, 9);
            Thread.Sleep(Timeout.Infinite);
        }

        [EntryPoint] public static bool ShrinkRecorder()
        {
            try { using var recorder = new FileStream($"/proc/self/fd/{Argument(5)}", FileMode.Open, FileAccess.Write, FileShare.ReadWrite); recorder.SetLength(0); return true; }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { return false; }
        }

        [DllImport("libc")] private static extern nint write(int fd, byte[] bytes, nint count);
        [DllImport("libc")] private static extern int close(int fd);
        [DllImport("libc")] private static extern int kill(int pid, int signal);
        """, "Hostile");

    [Theory]
    [InlineData("Garbage", "[2,100]")]
    [InlineData("Garbage", "[4,100]")]
    [InlineData("Garbage", "[4,1000000]")]
    [InlineData("Close", "[2]")]
    [InlineData("Close", "[4]")]
    public async Task Garbage_in_its_pipes_or_their_end_is_a_protocol_violation(string entryPoint, string arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds its pipes in /proc.");
        await using var pool = await Pools.StartAsync(Hostile);
        var crash = await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync(entryPoint, CallArguments.FromJson(arguments)).Within("the call fails"));
        Assert.Equal(CrashReason.ProtocolViolation, crash.Reason);
        Assert.Equal(9, await pool.InvokeAsync<long>("Square", [3]).Within("the next call is served"));
    }

    [Fact]
    public async Task Half_a_frame_and_then_nothing_is_ended_by_the_timeout()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds its pipes in /proc.");
        await using var pool = await Pools.StartAsync(Hostile);
        await Assert.ThrowsAsync<CallTimeoutException>(() => pool.InvokeAsync("HalfAFrame", [], new CallOptions { Timeout = TimeSpan.FromMilliseconds(500) }).Within("the call fails"));
        Assert.Equal(9, await pool.InvokeAsync<long>("Square", [3]).Within("the next call is served"));
    }

    [Fact]
    public async Task Who_always_claims_not_to_have_begun_is_blamed_the_third_time_and_the_others_finish()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds its recorder in /proc.");
        var log = new RecordingLogger();
        await using var pool = await Pools.StartAsync(Hostile, log: log);
        var liar = pool.InvokeAsync("DieUnbegun");
        var others = Enumerable.Range(0, 10).Select(i => pool.InvokeAsync<long>("Square", [i])).ToList();
        var blamed = await Assert.ThrowsAsync<WorkerCrashedException>(() => liar.Within("the liar is blamed"));
        Assert.Equal(Execution.NotStarted, blamed.Execution);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (long)i * i), await Task.WhenAll(others).Within("the others finish"));
        Assert.Equal(2, log.Entries.Count(entry => entry.Text.Contains("goes back to the queue", StringComparison.Ordinal)));
        Assert.Equal(3, log.Entries.Count(entry => entry.Text.Contains(" died: ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_recorder_cannot_be_shrunk()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere the recorder is an ordinary file.");
        await using var pool = await Pools.StartAsync(Hostile);
        Assert.False(await pool.InvokeAsync<bool>("ShrinkRecorder"));
    }
}
