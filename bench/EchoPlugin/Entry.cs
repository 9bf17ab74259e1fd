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

    /// <summary>Uses so much processor time.</summary>
    [EntryPoint]
    public static int Burn(int milliseconds)
    {
        var until = Environment.CpuUsage.TotalTime + TimeSpan.FromMilliseconds(milliseconds);
        var rounds = 0;
        while (Environment.CpuUsage.TotalTime < until)
        {
            rounds++;
            Thread.SpinWait(1_000);
        }

        return rounds;
    }

    [EntryPoint]
    public static void Wait(int milliseconds) => Thread.Sleep(milliseconds);

    [EntryPoint]
    public static void Die() => _ = Kill(Environment.ProcessId, 9);

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int processId, int signal);
}
