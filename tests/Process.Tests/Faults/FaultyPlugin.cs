using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Faults;

/// <summary>A plugin that does each fault in each phase of a call.</summary>
internal static class FaultyPlugin
{
    /// <summary>The one way it can go wrong; "none" is well.</summary>
    private const string Faults = """
        public static class Fault
        {
            private static int s_depth;

            public static void Do(string fault)
            {
                switch (fault)
                {
                    case "exception": throw new InvalidOperationException("on purpose");
                    case "exit0": Environment.Exit(0); break;
                    case "exit3": Environment.Exit(3); break;
                    case "segfault": strlen(IntPtr.Zero); break;
                    case "overflow": Overflow(); break;
                    case "loop": while (true) { }
                    case "memory": var hoard = new List<byte[]>(); while (true) { hoard.Add(new byte[1 << 20]); }
                }
            }

            private static void Overflow() { s_depth++; Overflow(); s_depth--; }

            [DllImport("libc")] private static extern int strlen(IntPtr text);
        }

        """;

    public static string Folder { get; } = PluginSource.Types(Faults + """
        public class FaultyArgument { public string Fault { get => null; set => global::Fault.Do(value); } }

        public class FaultyResult
        {
            private readonly string _fault;
            public FaultyResult(string fault) => _fault = fault;
            public string Fault { get { global::Fault.Do(_fault); return _fault; } }
        }

        public static class Entry
        {
            [EntryPoint] public static long Square(long value) => value * value;
            [EntryPoint] public static void Argument(FaultyArgument argument) { }
            [EntryPoint] public static void Execute(string fault) => Fault.Do(fault);
            [EntryPoint] public static FaultyResult Result(string fault) => new FaultyResult(fault);
            [EntryPoint] public static long Afterwards(string fault, string signal)
            {
                // As a finalizer or a stray thread would: when the call is over and answered, which the test says by a file.
                var waiting = new Thread(() => { while (!File.Exists(signal)) Thread.Sleep(5); Fault.Do(fault); });
                waiting.IsBackground = true;
                waiting.Start();
                return 1;
            }
        }
        """, "Faulty");

    /// <summary>A plugin whose construction or disposal goes wrong, as the environment says.</summary>
    public static string Contract { get; } = PluginSource.Types(Faults + """
        public interface IContract { Task<long> SquareAsync(long value); }

        [EntryPoint] public sealed class Service : IContract, IDisposable
        {
            public Service() => Fault.Do(Environment.GetEnvironmentVariable("FAULT_CONSTRUCT"));
            public Task<long> SquareAsync(long value) => Task.FromResult(value * value);
            public void Dispose() => Fault.Do(Environment.GetEnvironmentVariable("FAULT_DISPOSE"));
        }
        """, "FaultyContract");
}
