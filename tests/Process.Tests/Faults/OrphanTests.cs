using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Faults;

/// <summary>Nobody is left behind, whoever dies.</summary>
public sealed class OrphanTests
{
    private static readonly string Parent = PluginSource.Members("""
        // setsid makes a session of its own; the shell between ends at once, so that the child is an orphan.
        [EntryPoint] public static int StartChild(bool leaveTree) => Start(leaveTree ? "setsid sleep 1000 >/dev/null 2>&1 & echo $!" : "sleep 1000 >/dev/null 2>&1 & echo $!");

        // The lock is .NET's own: whoever else opens the file by .NET fails.
        [EntryPoint] public static int StartLocked() => Start("setsid sh -c 'exec 9</proc/self/environ; flock -x 9; echo $$; exec sleep 1000 >/dev/null 2>&1' &");
        private static int Start(string script)
        {
            var start = new System.Diagnostics.ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true };
            start.ArgumentList.Add("-c");
            start.ArgumentList.Add(script);
            using var shell = System.Diagnostics.Process.Start(start);
            var id = int.Parse(shell.StandardOutput.ReadLine());
            shell.WaitForExit();
            return id;
        }
        [EntryPoint] public static void StartChildrenAndSpin() { Console.WriteLine($"children {StartChild(false)} {StartChild(true)}"); while (true) { } }
        [EntryPoint] public static void Die() { kill(Environment.ProcessId, 9); Thread.Sleep(Timeout.Infinite); }
        [EntryPoint] public static void Leave() => Environment.Exit(0);
        [EntryPoint] public static int ProcessId() => Environment.ProcessId;
        [EntryPoint] public static void Spin() { Console.WriteLine("spinning"); while (true) { } }
        [DllImport("libc")] private static extern int kill(int pid, int signal);
        """, "Parent");

    [Theory]
    [InlineData("Die", false)]
    [InlineData("Die", true)]
    [InlineData("Leave", false)]
    [InlineData("Leave", true)]
    public async Task Descendants_of_a_sandbox_that_ends_end_too(string how, bool leaveTree)
    {
        Pools.SkipWhenConfined("starts other programs");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks for processes in /proc.");
        await using var pool = await Pools.StartAsync(Parent);
        var child = await pool.InvokeAsync<int>("StartChild", [leaveTree]);
        using var process = System.Diagnostics.Process.GetProcessById(child);
        await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync(how));
        await process.WaitForExitAsync().Within("the child of the dead sandbox ends");
    }

    [Fact]
    public async Task A_descendant_that_locks_what_it_is_known_by_ends_too()
    {
        Pools.SkipWhenConfined("starts other programs");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks for processes in /proc.");
        await using var pool = await Pools.StartAsync(Parent);
        using var process = System.Diagnostics.Process.GetProcessById(await pool.InvokeAsync<int>("StartLocked"));
        await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync("Die"));
        await process.WaitForExitAsync().Within("the child of the dead sandbox ends");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Descendants_end_with_a_pool_that_stops(bool leaveTree)
    {
        Pools.SkipWhenConfined("starts other programs");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks for processes in /proc.");
        await using var pool = await Pools.StartAsync(Parent);
        var child = await pool.InvokeAsync<int>("StartChild", [leaveTree]);
        await pool.StopAsync().Within("the pool stops");
        Assert.False(Sandboxes.IsAlive(child), $"Expected child {child} to be gone.");
    }

    [Fact]
    public async Task When_the_host_is_killed_while_workers_spin_nobody_is_left()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks for processes in /proc.");
        using var host = Cli.Start("run", Parent, "StartChildrenAndSpin");
        string? line;
        do
        {
            line = await host.StandardError.ReadLineAsync().Within("the call begins");
        }
        while (line is not null && !line.Contains("children ", StringComparison.Ordinal));

        var family = line!.Split(' ').TakeLast(2).Select(int.Parse).Append(Assert.Single(Sandboxes.Of(host.Id))).ToList();
        using var sandbox = System.Diagnostics.Process.GetProcessById(family[^1]);
        Assert.All(family, id => Assert.True(Sandboxes.IsAlive(id)));
        host.Kill();
        await sandbox.WaitForExitAsync().Within("the sandbox ends, after its descendants");
        Assert.All(family, id => Assert.False(Sandboxes.IsAlive(id), $"Expected {id} to be gone."));
    }

    [Fact]
    public async Task A_busy_worker_ignores_a_service_managers_signal_and_ends_when_its_host_says()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sends SIGTERM.");
        var log = new RecordingLogger();
        await using var pool = await Pools.StartAsync(Parent, log: log);
        var worker = await pool.InvokeAsync<int>("ProcessId");
        var spinning = pool.InvokeAsync("Spin");
        await log.WaitForAsync(line => line.Contains("spinning", StringComparison.Ordinal), "the call begins");
        using (var kill = System.Diagnostics.Process.Start("kill", ["-TERM", $"{worker}"]))
        {
            await kill.WaitForExitAsync();
        }

        using (var hangUp = System.Diagnostics.Process.Start("kill", ["-HUP", $"{worker}"]))
        {
            await hangUp.WaitForExitAsync();
        }

        var report = await pool.StopAsync(drain: true, deadline: TimeSpan.FromMilliseconds(500)).Within("the stop ends");
        Assert.Equal(new StopReport(Completed: 0, Cancelled: 1, Killed: 1), report);
        Assert.Equal(Execution.Started, (await Assert.ThrowsAsync<CallRejectedException>(() => spinning)).Execution);
        Assert.False(Sandboxes.IsAlive(worker), $"Expected worker {worker} to be gone.");
        Assert.DoesNotContain(log.Entries, entry => entry.Text.Contains(" died: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_pools_started_at_once_beside_other_processes_see_each_death_at_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Starts sleep.");
        using var stop = new CancellationTokenSource();
        var unrelated = Task.Run(async () =>
        {
            var others = new List<System.Diagnostics.Process>();
            while (!stop.IsCancellationRequested && others.Count < 200)
            {
                others.Add(System.Diagnostics.Process.Start("sleep", "1000"));
                await Task.Yield();
            }

            return others;
        });
        var pools = await Task.WhenAll(Task.Run(() => Pools.StartAsync(Parent, workers: 3)), Task.Run(() => Pools.StartAsync(Parent, workers: 3)));
        await stop.CancelAsync();
        try
        {
            foreach (var pool in pools)
            {
                await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync("Die").Within("the death is seen, whoever inherited the pipes"));
                await pool.InvokeAsync<int>("ProcessId").Within("the next call is served");
                await pool.DisposeAsync();
            }
        }
        finally
        {
            foreach (var other in await unrelated)
            {
                other.Kill();
                other.Dispose();
            }
        }
    }
}
