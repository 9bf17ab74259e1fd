using Microsoft.Extensions.Logging;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>Nothing a plugin prints meets the protocol, and nothing of it is lost.</summary>
public sealed class OutputTests
{
    private static readonly string Noisy = PluginSource.Members("""
        [EntryPoint] public static int Print(string text) { Console.WriteLine(text); Console.Error.WriteLine("err " + text); return text.Length; }
        [EntryPoint] public static int RawWrite(int fd, byte[] bytes) { int sum = 0; while (sum < bytes.Length) { var rest = bytes[sum..]; sum += (int)write(fd, rest, (nint)rest.Length); } return sum; }
        [EntryPoint] public static int ReadInput() => Console.In.Read();
        [DllImport("libc")] private static extern nint write(int fd, byte[] bytes, nint count);
        """, "Noisy");

    [Fact]
    public async Task Both_outputs_reach_the_logger_under_the_workers_name()
    {
        var log = new RecordingLogger();
        await using var pool = await Pools.StartAsync(Noisy, log: log);
        Assert.Equal(5, await pool.InvokeAsync<int>("Print", ["hello"]));
        await log.WaitForAsync(line => line == "test-0: hello", "standard output");
        await log.WaitForAsync(line => line == "test-0: err hello", "standard error");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Native_writes_of_garbage_do_not_disturb_calls(int fileDescriptor)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Calls write(2) of the C library.");
        var log = new RecordingLogger();
        await using var pool = await Pools.StartAsync(Noisy, log: log);
        var garbage = new byte[1_000_000];
        Array.Fill(garbage, (byte)0xFF);
        garbage[^1] = (byte)'\n';
        Assert.Equal(garbage.Length, await pool.InvokeAsync<int>("RawWrite", [fileDescriptor, garbage]).Within("a call that prints 1 MB of invalid UTF-8 ends"));
        await log.WaitForAsync(line => line.EndsWith("\uFFFD\uFFFD", StringComparison.Ordinal), "replacement characters");
        Assert.Equal(1, await pool.InvokeAsync<int>("Print", ["x"]));
    }

    [Fact]
    public async Task Standard_input_is_empty()
    {
        await using var pool = await Pools.StartAsync(Noisy);
        Assert.Equal(-1, await pool.InvokeAsync<int>("ReadInput").Within("reading standard input ends"));
    }

    [Fact]
    public async Task A_logger_that_throws_harms_nothing()
    {
        var options = Pools.Options(Noisy);
        options.Logger = new ThrowingLogger();
        await using var pool = await SandboxPool.StartAsync(options);
        for (var i = 0; i < 100; i++)
        {
            // More than a pipe holds: a call would wait for ever if nobody read it.
            Assert.Equal(10_000, await pool.InvokeAsync<int>("Print", [new string('x', 10_000)]).Within("a call that prints ends"));
        }
    }

    private sealed class ThrowingLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("the logger's own fault");
    }
}
