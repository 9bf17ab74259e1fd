using ProcessPool.TestKit;

namespace ProcessPool.Soak;

/// <summary>The plugin of the proofs.</summary>
internal static class Faulty
{
    public static string Plugin { get; } = PluginSource.Members("""
        [EntryPoint] public static long Square(long value) => value * value;
        [EntryPoint] public static long Work(long value) { var end = System.Diagnostics.Stopwatch.GetTimestamp() + System.Diagnostics.Stopwatch.Frequency / 5_000; while (System.Diagnostics.Stopwatch.GetTimestamp() < end) { } return value * value; }
        [EntryPoint] public static int ProcessId() => Environment.ProcessId;
        [EntryPoint] public static void Throw() => throw new InvalidOperationException("on purpose");
        [EntryPoint] public static void Exit(int code) => Environment.Exit(code);
        [EntryPoint] public static void Kill() { kill(Environment.ProcessId, 9); Thread.Sleep(Timeout.Infinite); }
        [EntryPoint] public static int Segfault() => strlen(IntPtr.Zero);
        [EntryPoint] public static async Task Wait(CancellationToken token) => await Task.Delay(Timeout.Infinite, token);
        [EntryPoint] public static void Spin() { while (true) { } }
        [EntryPoint] public static byte[] Bytes(int length) => new byte[length];
        [EntryPoint] public static void Print(long bytes) { var line = new string('x', 1023); for (long sum = 0; sum < bytes; sum += 1024) { Console.WriteLine(line); } }
        private static int s_open;
        [EntryPoint] public static int Open() => s_open;
        [EntryPoint] public static async IAsyncEnumerable<long> Count(long to)
        {
            s_open++;
            try { for (var i = 0L; i < to; i++) { yield return i; } await Task.CompletedTask; }
            finally { s_open--; }
        }
        [EntryPoint] public static string SpinWithChildren()
        {
            foreach (var command in new[] { "sleep 1000 &", "setsid sleep 1000 &" })
            {
                System.Diagnostics.Process.Start("/bin/sh", new[] { "-c", command + " :" }).WaitForExit();
            }

            Console.WriteLine("spinning");
            while (true) { }
        }
        [DllImport("libc")] private static extern int kill(int pid, int signal);
        [DllImport("libc")] private static extern int strlen(IntPtr text);
        """, "Soaked");

    public static SandboxPoolOptions Options(int workers = 2, RecordingLogger? log = null) => new()
    {
        Plugin = Plugin, Name = "soak", Workers = workers, AllowOversubscription = true, Logger = log,
    };
}
