using System.Runtime.Versioning;
using ProcessPool.Confining.Linux.Interop;

namespace ProcessPool.Confining.Linux;

/// <summary>A thread's capabilities. Source: capabilities(7), linux/capability.h.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe class Capabilities
{
    private const uint Version = 0x20080522;

    // Effective, permitted and inheritable ones: the low halves, then the high halves.
    private const int Words = 6;
    private const int Ambient = 47;
    private const int ClearAmbient = 4;

    private static readonly (int Number, string Name)[] ForUsers = [(0, "CAP_CHOWN"), (1, "CAP_DAC_OVERRIDE"), (3, "CAP_FOWNER"), (5, "CAP_KILL"), (6, "CAP_SETGID"), (7, "CAP_SETUID"), (19, "CAP_SYS_PTRACE")];

    /// <summary>What this process lacks to make a sandbox another user's, to look at it, to end it and to delete its files. A container's root may lack some.</summary>
    public static IReadOnlyList<string> MissingForUsers { get; } = FindMissing(Effective());

    /// <summary>Whether this thread has any.</summary>
    public static bool Any()
    {
        var held = stackalloc uint[Words];
        return !Get(held) || new ReadOnlySpan<uint>(held, Words).ContainsAnyExcept(0u);
    }

    /// <summary>Gives this thread's up.</summary>
    public static void Drop()
    {
        _ = LibC.Prctl(Ambient, ClearAmbient, 0, 0, 0);
        var header = stackalloc uint[2] { Version, 0 };
        var none = stackalloc uint[Words];
        _ = LibC.Call(SystemCall.SetCapabilities.Number, (nint)header, (nint)none);
    }

    internal static IReadOnlyList<string> FindMissing(uint effective) => [.. ForUsers.Where(each => (effective & (1u << each.Number)) == 0).Select(each => each.Name)];

    private static uint Effective()
    {
        var held = stackalloc uint[Words];
        return Get(held) ? held[0] : 0;
    }

    private static bool Get(uint* held)
    {
        var header = stackalloc uint[2] { Version, 0 };
        return LibC.Call(SystemCall.GetCapabilities.Number, (nint)header, (nint)held) == 0;
    }
}
