using System.Globalization;
using System.Runtime.Versioning;
using ProcessPool.Confining.Linux.Interop;

namespace ProcessPool.Confining.Linux;

/// <summary>One limit of a process. Source: getrlimit(2).</summary>
/// <param name="Layer">What it bounds; null: a helper of others.</param>
/// <param name="Resource">The kernel's number.</param>
/// <param name="Option">The option of prlimit(1).</param>
/// <param name="Name">How /proc/PID/limits calls it.</param>
/// <param name="Value">The limit.</param>
internal sealed record ResourceLimit(ConfinementLayer? Layer, int Resource, string Option, string Name, long Value);

/// <summary>The limits of a policy.</summary>
internal static class ResourceLimits
{
    // Beyond it the kernel sends SIGXFSZ, which kills; ignored, the write fails.
    private const int FileSizeSignal = 25;
    private const nint Ignore = 1;
    private const long DefaultOpenFiles = 4_096;
    private const long PendingSignals = 1_024;

    // Stacks count as memory, and are as large as this: 64 threads of the usual 8 MiB would be 512.
    private const long StackBytes = 1024 * 1024;

    public static IReadOnlyList<ResourceLimit> Of(ConfinementPolicy policy)
    {
        var limits = new List<ResourceLimit>();
        if (policy.Level >= ConfinementLevel.Limits)
        {
            limits.Add(new(null, 4, "--core", "Max core file size", 0));
        }

        if (policy.MemoryLimit is { } memory)
        {
            limits.Add(new(null, 3, "--stack", "Max stack size", StackBytes));
            limits.Add(new(ConfinementLayer.Memory, 2, "--data", "Max data size", memory));
        }

        Add(ConfinementLayer.CpuTime, 0, "--cpu", "Max cpu time", policy.CpuTimeLimit is { } time ? (long)Math.Ceiling(time.TotalSeconds) : null);
        Add(ConfinementLayer.FileSize, 1, "--fsize", "Max file size", policy.MaxFileBytes);
        Add(ConfinementLayer.Processes, 6, "--nproc", "Max processes", policy.MaxProcesses);
        Add(ConfinementLayer.OpenFiles, 7, "--nofile", "Max open files", policy.MaxOpenFiles);
        if (policy is { IsSandbox: true, MaxOpenFiles: null })
        {
            // Pairs of sockets hold memory of the kernel that nothing else bounds.
            limits.Add(new(null, 7, "--nofile", "Max open files", DefaultOpenFiles));
        }

        if (policy.IsSandbox)
        {
            // Timers and queued signals are counted for the user, and a sandbox could use up all of his.
            limits.Add(new(null, 11, "--sigpending", "Max pending signals", PendingSignals));
        }

        return limits;

        void Add(ConfinementLayer layer, int resource, string option, string name, long? value)
        {
            if (value is { } limit)
            {
                limits.Add(new(layer, resource, option, name, limit));
            }
        }
    }

    /// <summary>The command line of prlimit(1) that starts a program with them.</summary>
    [SupportedOSPlatform("linux")]
    public static IEnumerable<string> CommandLine(IEnumerable<ResourceLimit> limits) => limits.Select(limit =>
    {
        // What is lower already stays: raising is not allowed, and not wanted.
        var value = Math.Min((ulong)limit.Value, Current(limit.Resource).Hard);
        return string.Create(CultureInfo.InvariantCulture, $"{limit.Option}={value}:{value}");
    });

    /// <summary>Sets them for this process. That of the stack is for the program that it executes.</summary>
    [SupportedOSPlatform("linux")]
    public static unsafe void Apply(IEnumerable<ResourceLimit> limits)
    {
        var value = stackalloc ulong[2];
        foreach (var limit in limits)
        {
            var (soft, hard) = Current(limit.Resource);
            value[0] = Math.Min(soft, (ulong)limit.Value);
            value[1] = Math.Min(hard, (ulong)limit.Value);
            _ = LibC.Call(SystemCall.SetLimit.Number, 0, limit.Resource, (nint)value, 0);
        }
    }

    [SupportedOSPlatform("linux")]
    private static unsafe (ulong Soft, ulong Hard) Current(int resource)
    {
        var value = stackalloc ulong[2];
        _ = LibC.Call(SystemCall.SetLimit.Number, 0, resource, 0, (nint)value);
        return (value[0], value[1]);
    }

    /// <summary>A write beyond the size of files fails, and kills nobody.</summary>
    [SupportedOSPlatform("linux")]
    public static void IgnoreFileSizeSignal() => _ = LibC.Signal(FileSizeSignal, Ignore);
}
