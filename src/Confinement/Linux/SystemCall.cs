using System.Runtime.InteropServices;

namespace ProcessPool.Confining.Linux;

/// <summary>A system call and its numbers. Source: the kernel's tables, arch/x86/entry/syscalls/syscall_64.tbl and scripts/syscall.tbl. The numbers of arm64 were never run.</summary>
/// <param name="Name">The name.</param>
/// <param name="X64">The number on x64.</param>
/// <param name="Arm64">The number on arm64; <see cref="None"/> when there is none.</param>
internal readonly record struct SystemCall(string Name, int X64, int Arm64)
{
    public const int None = -1;

    /// <summary>The first number that this list does not know.</summary>
    public const int FirstUnknown = 470;

    public static readonly SystemCall Landlock = New("landlock_create_ruleset", 444);
    public static readonly SystemCall LandlockAddRule = New("landlock_add_rule", 445);
    public static readonly SystemCall LandlockRestrictSelf = New("landlock_restrict_self", 446);
    public static readonly SystemCall CloseRange = New("close_range", 436);
    public static readonly SystemCall Seccomp = new("seccomp", 317, 277);
    public static readonly SystemCall GetCapabilities = new("capget", 125, 90);
    public static readonly SystemCall SetCapabilities = new("capset", 126, 91);
    public static readonly SystemCall SetGroups = new("setgroups", 116, 159);
    public static readonly SystemCall SetGroupIds = new("setresgid", 119, 149);
    public static readonly SystemCall SetUserIds = new("setresuid", 117, 147);
    public static readonly SystemCall SetLimit = new("prlimit64", 302, 261);
    public static readonly SystemCall Unshare = new("unshare", 272, 97);
    public static readonly SystemCall Socket = new("socket", 41, 198);
    public static readonly SystemCall MakeProcess = new("clone", 56, 220);
    public static readonly SystemCall Execute = new("execve", 59, 221);
    public static readonly SystemCall Kill = new("kill", 62, 129);
    public static readonly SystemCall Trace = new("ptrace", 101, 117);
    public static readonly SystemCall MakeMemory = new("memfd_create", 319, 279);
    public static readonly SystemCall ChangeMode = new("fchmodat", 268, 53);

    /// <summary>The number on this machine.</summary>
    /// <exception cref="PlatformNotSupportedException">It is neither x64 nor arm64.</exception>
    public int Number => NumberOn(RuntimeInformation.ProcessArchitecture);

    /// <summary>A call that has the same number everywhere.</summary>
    public static SystemCall New(string name, int number) => new(name, number, number);

    public int NumberOn(Architecture architecture) => architecture switch
    {
        Architecture.X64 => X64,
        Architecture.Arm64 => Arm64,
        _ => throw new PlatformNotSupportedException($"Confinement knows x64 and arm64, not {architecture}."),
    };
}
