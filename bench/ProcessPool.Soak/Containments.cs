using System.Diagnostics;
using ProcessPool.TestKit;

namespace ProcessPool.Soak;

/// <summary>A worker that wants everything, again and again, and what its siblings notice of it.</summary>
internal static class Containments
{
    private static readonly string Plugin = PluginSource.Members("""
        [EntryPoint] public static long Square(long value) => value * value;
        [EntryPoint] public static void Managed() => Forever(() => { var kept = new List<byte[]>(); while (true) { var one = new byte[1 << 20]; Array.Fill(one, (byte)1); kept.Add(one); } });
        [EntryPoint] public static void Native() => Forever(() =>
        {
            var taken = new List<nint>(100_000);
            for (nint at; (at = malloc(1 << 20)) != 0; taken.Add(at)) { unsafe { new Span<byte>((void*)at, 1 << 20).Fill(1); } }
            taken.ForEach(free);
        });
        [EntryPoint] public static void Threads() => Forever(() => { while (true) { new Thread(() => Thread.Sleep(-1), 64 << 10) { IsBackground = true }.Start(); } });
        [EntryPoint] public static void Forks() => Forever(() => System.Diagnostics.Process.Start("/bin/sleep", "600"));
        [EntryPoint] public static void Files() => Forever(() => { var open = new List<FileStream>(); try { while (true) { open.Add(File.Create($"file-{open.Count}")); } } finally { open.ForEach(file => file.Dispose()); } });
        [EntryPoint] public static void LargeFile() => Forever(() => { using var file = File.Create("large"); while (true) { file.Write(new byte[1 << 20]); file.Flush(); } });
        [EntryPoint] public static void ManyFiles() { for (var count = 0; ; count++) { File.WriteAllBytes($"many-{count}", new byte[1 << 20]); } }
        [EntryPoint] public static void Spin() { while (true) { } }
        private static void Forever(Action action) { while (true) { try { action(); } catch (Exception exception) when (exception is OutOfMemoryException or IOException or System.ComponentModel.Win32Exception or UnauthorizedAccessException or ThreadStartException or ArgumentOutOfRangeException) { } } }
        [DllImport("libc")] private static extern nint malloc(nint bytes);
        [DllImport("libc")] private static extern void free(nint at);
        """, "Greedy");

    public static async Task<bool> RunAsync(double seconds)
    {
        var holds = true;
        var time = TimeSpan.FromSeconds(seconds);
        var policy = ConfinementPolicy.Strict with
        {
            MemoryLimit = 256L << 20, MaxThreads = 200, MaxOpenFiles = 256, MaxFileBytes = 32 << 20, MaxScratchBytes = 64 << 20,
        };
        Console.WriteLine("   greed      siblings' calls/s before, meanwhile, after   the greedy worker");
        foreach (var greed in new[] { "Spin", "Managed", "Native", "Threads", "Forks", "Files", "LargeFile", "ManyFiles" })
        {
            await using var pool = await SandboxPool.StartAsync(new() { Plugin = Plugin, Name = "greedy", Workers = 3, AllowOversubscription = true, Confinement = policy });
            await RateAsync(pool, time);
            var before = await RateAsync(pool, time);
            using var enough = new CancellationTokenSource();
            var greedy = pool.InvokeAsync(greed, cancellationToken: enough.Token);
            var meanwhile = await RateAsync(pool, time);
            await enough.CancelAsync();
            var end = await Assured(greedy);
            var after = await RateAsync(pool, time);
            Console.WriteLine($"   {greed,-10} {before,8:#,0} {meanwhile,8:#,0} {after,8:#,0}   {end}");
            holds &= meanwhile > 0 && after > 0 && end.Length > 0;
        }

        return holds;
    }

    private static async Task<string> Assured(Task greedy)
    {
        try
        {
            await greedy.WaitAsync(TimeSpan.FromSeconds(30));
            return "";
        }
        catch (WorkerCrashedException crashed)
        {
            return $"{crashed.Reason}{(crashed.Signal is null ? "" : $" ({crashed.Signal})")}";
        }
        catch (OperationCanceledException)
        {
            return "was refused, lived on, and was ended by its caller";
        }
    }

    // One call after the other.
    private static async Task<double> RateAsync(SandboxPool pool, TimeSpan time)
    {
        var (began, calls) = (Stopwatch.GetTimestamp(), 0);
        for (; Stopwatch.GetElapsedTime(began) < time; calls++)
        {
            await pool.InvokeAsync<long>("Square", [calls]);
        }

        return calls / time.TotalSeconds;
    }
}
