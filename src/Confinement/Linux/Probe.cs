using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using ProcessPool.Confining.Linux.Interop;

namespace ProcessPool.Confining.Linux;

/// <summary>
/// Tries what must be refused, on each kind of thread that a plugin's code may run on. Nothing that it tries does harm where it is not refused: another file is opened and closed, a call that could not succeed anyway says by its error
/// whether it was refused before it was looked at.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class Probe
{
    private const int ReadOnly = 0;
    private const int MakeForWriting = 0x41;
    private const int StreamSocket = 1;
    private const int Datagrams = 2;
    private const int Inet = 2;
    private const int SignalHandlersWithoutMemory = 0x800;
    private const int GetRegisters = 12;

    /// <summary>What was tried, where, and how it ended: 0, or the error's number.</summary>
    public static Dictionary<string, int> Run(PolicyText policy)
    {
        var results = new Dictionary<string, int>();
        Try("main");
        var thread = new Thread(() => Try("new"));
        thread.Start();
        thread.Join();
        Task.Run(() => Try("pool")).GetAwaiter().GetResult();
        InFinalizer(() => Try("finalizer"));
        return results;

        void Try(string on)
        {
            foreach (var (what, error) in Attempt(policy))
            {
                results[$"{on}.{what}"] = error;
            }
        }
    }

    private static List<(string What, int Error)> Attempt(PolicyText policy) =>
    [
        ("read", Open(policy.Canary, ReadOnly)),
        ("make", Open($"{policy.Canary}.{Environment.CurrentManagedThreadId}", MakeForWriting)),
        ("socket", Descriptor(LibC.Call(SystemCall.Socket.Number, Inet, StreamSocket, 0))),
        ("datagram", Descriptor(LibC.Call(SystemCall.Socket.Number, Inet, Datagrams, 0))),
        // None of these can succeed: the filter refuses before the arguments are looked at.
        ("fork", Error(LibC.Call(SystemCall.MakeProcess.Number, SignalHandlersWithoutMemory))),
        ("execute", Error(LibC.Call(SystemCall.Execute.Number))),
        ("memory", Error(LibC.Call(SystemCall.MakeMemory.Number))),
        ("mode", Error(LibC.Call(SystemCall.ChangeMode.Number, -1))),
        ("signal", Error(LibC.Call(SystemCall.Kill.Number, policy.Host, 0))),
        ("trace", Error(LibC.Call(SystemCall.Trace.Number, GetRegisters, policy.Host))),
    ];

    private static int Open(string path, int flags)
    {
        var descriptor = LibC.OpenFile(path, flags, 384);
        if (descriptor < 0)
        {
            return -descriptor;
        }

        _ = LibC.Close(descriptor);
        if (flags != ReadOnly)
        {
            _ = LibC.Unlink(path);
        }

        return 0;
    }

    private static int Descriptor(long result)
    {
        if (result >= 0)
        {
            _ = LibC.Close((int)result);
        }

        return Error(result);
    }

    private static int Error(long result) => result < 0 ? (int)-result : 0;

    private static void InFinalizer(Action action)
    {
        Leave(action);
        for (var round = 0; round < 10 && !Finalized.IsDone; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        // In a frame of its own, so that nothing here keeps it alive.
        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Leave(Action action) => _ = new Finalized(action);
    }

    private sealed class Finalized(Action action)
    {
        public static bool IsDone { get; private set; }

        ~Finalized()
        {
            action();
            IsDone = true;
        }
    }
}
