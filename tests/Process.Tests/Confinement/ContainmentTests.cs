using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Confinement;

/// <summary>Appetite without end costs the worker that has it, and nobody else.</summary>
public sealed class ContainmentTests
{
    private const long Memory = 256L * 1024 * 1024;

    private static readonly string Plugin = PluginSource.Members("""
        [EntryPoint] public static int ProcessId() => Environment.ProcessId;
        [EntryPoint] public static string Managed(long bytes)
        {
            var kept = new List<byte[]>();
            try
            {
                for (var taken = 0L; taken < bytes; taken += 1 << 20) { var one = new byte[1 << 20]; Array.Fill(one, (byte)1); kept.Add(one); }
                return "all of it";
            }
            catch (OutOfMemoryException) { var count = kept.Count; kept.Clear(); return $"refused after {count} MiB"; }
        }
        [EntryPoint] public static string Native(long bytes)
        {
            var taken = new List<nint>(4096);
            while (taken.Count < bytes >> 20)
            {
                var at = malloc(1 << 20);
                if (at == 0) { break; }
                unsafe { new Span<byte>((void*)at, 1 << 20).Fill(1); }
                taken.Add(at);
            }
            taken.ForEach(free);
            return taken.Count == bytes >> 20 ? "all of it" : $"refused after {taken.Count} MiB";
        }
        [EntryPoint] public static void Blind(long bytes)
        {
            // .NET's lock: whoever else opens it by .NET fails.
            using var status = new FileStream("/proc/self/status", FileMode.Open, FileAccess.Read, FileShare.None);
            var at = malloc((nint)bytes);
            unsafe { new Span<byte>((void*)at, (int)bytes).Fill(1); }
            Thread.Sleep(-1);
        }
        [EntryPoint] public static string Threads(int count)
        {
            var end = new ManualResetEventSlim();
            var started = new List<Thread>(count);
            try
            {
                while (started.Count < count)
                {
                    var thread = new Thread(() => end.Wait(), 8 << 20) { IsBackground = true };
                    thread.Start();
                    started.Add(thread);
                }
                return "all of them";
            }
            catch (OutOfMemoryException) { return $"refused after {started.Count}"; }
            finally
            {
                // Their stacks are free when they have ended.
                end.Set();
                started.ForEach(thread => thread.Join());
            }
        }
        [EntryPoint] public static string Open(int count)
        {
            var open = new List<FileStream>();
            try
            {
                for (var i = 0; i < count; i++) { open.Add(File.Create($"file-{i}")); }
                return "all of them";
            }
            catch (IOException) { return $"refused after {open.Count}"; }
            finally { open.ForEach(file => file.Dispose()); }
        }
        [EntryPoint] public static string Write(long bytes)
        {
            using var file = new FileStream("large", FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
            var written = 0L;
            try
            {
                for (; written < bytes; written += 1 << 16) { file.Write(new byte[1 << 16]); file.Flush(); }
                return "all of it";
            }
            catch (Exception exception) when (exception is IOException or ArgumentOutOfRangeException) { return $"refused at {file.Length} bytes"; }
            finally { file.SetLength(0); }
        }
        [EntryPoint] public static void Bomb() { for (var count = 0; count < 2_000; count++) { new Thread(() => Thread.Sleep(-1), 64 << 10) { IsBackground = true }.Start(); } Thread.Sleep(-1); }
        [EntryPoint] public static void Fill() { Directory.CreateDirectory("deep"); for (var count = 0; count < 64; count++) { File.WriteAllBytes($"deep/{count}", new byte[1 << 20]); } Thread.Sleep(-1); }
        [EntryPoint] public static string Fork(int count)
        {
            var started = new List<System.Diagnostics.Process>();
            try
            {
                for (; started.Count < count;) { started.Add(System.Diagnostics.Process.Start("/bin/sleep", "600")); }
                return "all of them";
            }
            catch (System.ComponentModel.Win32Exception exception) { return exception.NativeErrorCode == 11 && started.Count < count ? "refused" : $"{exception.Message} after {started.Count}"; }
            finally { started.ForEach(process => { process.Kill(); process.WaitForExit(); }); }
        }
        [EntryPoint] public static void Spin() { while (true) { } }
        [DllImport("libc")] private static extern nint malloc(nint bytes);
        [DllImport("libc")] private static extern void free(nint at);
        """, "Hungry");

    [Theory]
    [InlineData("Limits")]
    [InlineData("Strict")]
    public async Task Memory_beyond_the_limit_is_refused_and_the_pool_serves(string level)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits are for Linux.");
        await using var pool = await StartAsync(Of(level) with { MemoryLimit = Memory });
        await RefusedAsync("Managed", 4 * Memory);
        await RefusedAsync("Native", 4 * Memory);
        await RefusedAsync("Threads", 500);
        Assert.NotEqual(0, await pool.InvokeAsync<int>("ProcessId").Within("the pool serves"));

        // The runtime ends the process, not always with a message, when it is itself refused what it cannot do without, and so does the sandbox: the plugin cannot have it either.
        async Task RefusedAsync(string entryPoint, long much)
        {
            try
            {
                Assert.StartsWith("refused after", await pool.InvokeAsync<string>(entryPoint, [much]).Within($"{entryPoint} is refused"));
            }
            catch (WorkerCrashedException crashed)
            {
                var isForWant = crashed is { Reason: CrashReason.OutOfMemory } or { Reason: CrashReason.Crashed, Signal: "SIGABRT" or "SIGSEGV" };
                Assert.True(isForWant, $"Expected {entryPoint} to be refused, or the runtime to end for want of memory: {crashed.Message}");
            }
        }
    }

    [Theory]
    [InlineData("Limits")]
    [InlineData("Strict")]
    public async Task Files_beyond_the_limits_are_refused_and_the_worker_lives(string level)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits are for Linux.");
        await using var pool = await StartAsync(Of(level) with { MaxOpenFiles = 256, MaxFileBytes = 32 << 20 });
        var worker = await pool.InvokeAsync<int>("ProcessId");
        Assert.StartsWith("refused after", await pool.InvokeAsync<string>("Open", [5_000]).Within("the files are refused"));
        Assert.Equal($"refused at {32 << 20} bytes", await pool.InvokeAsync<string>("Write", [1L << 30]).Within("the file is refused"));
        Assert.Equal(worker, await pool.InvokeAsync<int>("ProcessId"));
    }

    [Theory]
    [InlineData("Limits")]
    [InlineData("Strict")]
    public async Task Processor_time_beyond_the_limit_is_the_end_of_the_worker_and_another_one_serves(string level)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits are for Linux.");
        await using var pool = await StartAsync(Of(level) with { CpuTimeLimit = TimeSpan.FromSeconds(2) });
        var worker = await pool.InvokeAsync<int>("ProcessId");
        var crashed = await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync("Spin").Within("the worker is ended"));
        Assert.Equal("SIGKILL", crashed.Signal);
        Assert.NotEqual(worker, await pool.InvokeAsync<int>("ProcessId").Within("another worker serves"));
    }

    [Theory]
    [InlineData("Bomb", CrashReason.ThreadLimit)]
    [InlineData("Fill", CrashReason.ScratchLimit)]
    public async Task What_the_pool_watches_is_the_end_of_the_worker_and_its_sibling_goes_on(string bomb, CrashReason reason)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits are for Linux.");
        await using var pool = await StartAsync(ConfinementPolicy.Strict with { MaxThreads = 100, MaxScratchBytes = 32 << 20 }, workers: 2);
        await using var sibling = await pool.LeaseAsync();
        var bombed = pool.InvokeAsync(bomb);
        while (!bombed.IsCompleted)
        {
            await sibling.InvokeAsync<int>("ProcessId").Within("the sibling serves");
        }

        Assert.Equal(reason, (await Assert.ThrowsAsync<WorkerCrashedException>(() => bombed)).Reason);
        Assert.Equal(sibling.ProcessId, await sibling.InvokeAsync<int>("ProcessId").Within("the sibling serves"));
    }

    // From Restricted up it could not: locks are refused there.
    [Fact]
    public async Task Memory_of_a_worker_that_locks_its_status_is_watched()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits are for Linux.");
        var options = Pools.Options(Plugin);
        options.Confinement = ConfinementPolicy.Limits;
        options.MemoryLimit = Memory;
        await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
        var crashed = await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync("Blind", [2 * Memory]).Within("the worker is ended"));
        Assert.Equal(CrashReason.MemoryLimit, crashed.Reason);
    }

    [Fact]
    public async Task What_a_plugin_takes_while_it_is_loaded_is_watched_too()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits are for Linux.");
        var greedy = PluginSource.Types("""
            public interface IWork { Task<int> OneAsync(); }
            [EntryPoint] public sealed class Work : IWork
            {
                public Work() { for (var count = 0; count < 200; count++) { new Thread(() => Thread.Sleep(-1), 64 << 10) { IsBackground = true }.Start(); } Thread.Sleep(-1); }
                public Task<int> OneAsync() => Task.FromResult(1);
            }
            """, "Greedy");
        var options = Pools.Options(greedy, 1);
        options.Confinement = ConfinementPolicy.Strict with { MaxThreads = 100 };
        options.Restart = new() { Mode = RestartMode.Never };
        var failed = await Assert.ThrowsAsync<WorkerStartException>(() => SandboxPool.StartAsync(options).Within("the start fails"));
        Assert.Contains("more threads than Confinement.MaxThreads allows", failed.Message);
    }

    [Fact]
    public async Task Processes_without_end_are_refused_to_a_user_of_its_own()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits are for Linux.");
        Assert.SkipUnless(Environment.UserName == "root", "Only root can give a sandbox another user.");
        Assert.SkipUnless(Nobody.CanRead(Plugin), "Another user cannot read the build's folder.");

        // Nobody else is this user: the sandbox's own threads and a few more.
        await using var pool = await StartAsync(ConfinementPolicy.Restricted with { Weakenings = [Weakening.ChildProcesses], UserId = 54_321, MaxProcesses = 60 });
        Assert.Equal(LayerState.Enforced, pool.Confinement![ConfinementLayer.User].State);
        var worker = await pool.InvokeAsync<int>("ProcessId");
        Assert.Equal("refused", await pool.InvokeAsync<string>("Fork", [60]).Within("the processes are refused"));
        Assert.Equal(worker, await pool.InvokeAsync<int>("ProcessId"));
    }

    private static ConfinementPolicy Of(string level) => level == "Strict" ? ConfinementPolicy.Strict : ConfinementPolicy.Limits;

    private static Task<SandboxPool> StartAsync(ConfinementPolicy policy, int workers = 1)
    {
        var options = Pools.Options(Plugin, workers);
        options.Confinement = policy;
        return SandboxPool.StartAsync(options).Within("the pool starts");
    }
}
