using System.Runtime;
using System.Runtime.InteropServices;
using ProcessPool;

namespace EchoPlugin;

/// <summary>What the benchmark calls. The peers have the same functions.</summary>
public static class Entry
{
    [EntryPoint]
    public static int Square(int value) => value * value;

    [EntryPoint]
    public static byte[] Echo(byte[] bytes) => bytes;

    /// <summary>Uses so much processor time on its thread: what the runtime compiles meanwhile on another one is no work done.</summary>
    [EntryPoint]
    public static int Burn(int milliseconds)
    {
        var until = ThreadTime() + TimeSpan.FromMilliseconds(milliseconds);
        var rounds = 0;
        while (ThreadTime() < until)
        {
            rounds++;
            Thread.SpinWait(1_000);
        }

        return rounds;
    }

    [EntryPoint]
    public static void Wait(int milliseconds) => Thread.Sleep(milliseconds);

    /// <summary>How many methods were compiled in this process so far.</summary>
    [EntryPoint]
    public static long Compiled() => JitInfo.GetCompiledMethodCount();

    [EntryPoint]
    public static void Die() => _ = Kill(Environment.ProcessId, 9);

    private static TimeSpan ThreadTime()
    {
        var time = new long[2];
        _ = GetTime(3, time);
        return TimeSpan.FromSeconds(time[0]) + TimeSpan.FromTicks(time[1] / 100);
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    private static extern int GetTime(int clock, [Out] long[] time);

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int processId, int signal);
}
