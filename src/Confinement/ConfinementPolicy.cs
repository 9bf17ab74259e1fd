using System.Collections.Immutable;
using System.Globalization;

namespace ProcessPool;

/// <summary>What a sandbox process may do. Immutable; start from a level: <c>ConfinementPolicy.Restricted with { ReadablePaths = ["/srv/models"] }</c>.</summary>
public sealed record ConfinementPolicy
{
    /// <summary>The least <see cref="MemoryLimit"/>: .NET itself needs about a hundred mebibytes to start.</summary>
    internal const long LeastMemory = 128L * 1024 * 1024;

    /// <summary>What a process needs beside its private memory: the program's files, shared memory. Where all of it is counted, the limit is larger by this.</summary>
    internal const long BesidePrivateMemory = 128L * 1024 * 1024;

    private const int LeastThreads = 64;

    // The kernel's own, of 64-bit machines.
    private const int MostThreads = 4_194_304;

    private ConfinementPolicy(ConfinementLevel level) => Level = level;

    /// <summary>A process of its own, and nothing more.</summary>
    public static ConfinementPolicy None { get; } = new(ConfinementLevel.None);

    /// <summary>The default.</summary>
    public static ConfinementPolicy Limits { get; } = new(ConfinementLevel.Limits);

    /// <summary>For code that is not trusted, and needs what ordinary code needs.</summary>
    public static ConfinementPolicy Restricted { get; } = new(ConfinementLevel.Restricted);

    /// <summary>For code that is not trusted at all.</summary>
    public static ConfinementPolicy Strict { get; } = new(ConfinementLevel.Strict);

    /// <summary>The level. What belongs to a higher one is refused when a pool is made of the policy.</summary>
    public ConfinementLevel Level { get; init; }

    /// <summary>Files and folders that the plugin may read, beside the runtime, the plugin's own folder and its scratch folder. Absolute paths that exist. From <see cref="ConfinementLevel.Restricted"/> up.</summary>
    public ImmutableArray<string> ReadablePaths { get; init; } = [];

    /// <summary>Files and folders that the plugin may read and write, beside its scratch folder. In folders it may make and delete files and folders, but no links, pipes or sockets. From <see cref="ConfinementLevel.Restricted"/> up.</summary>
    public ImmutableArray<string> WritablePaths { get; init; } = [];

    /// <summary>What is allowed although the level forbids it.</summary>
    public ImmutableArray<Weakening> Weakenings { get; init; } = [];

    /// <summary>
    /// How many bytes of private memory the kernel gives the process: managed and native, stacks included. Beyond it allocations fail; .NET throws <see cref="OutOfMemoryException"/>. At least 128 MiB.
    /// From <see cref="ConfinementLevel.Limits"/> up. Shared memory that is not mapped, and memory of the kernel (pipes, sockets, locks), are not counted unless a control group can be made; the pool watches resident memory beside it.
    /// </summary>
    public long? MemoryLimit { get; init; }

    /// <summary>How much processor time the process may use in its life, in whole seconds, at least one. Then it is killed.</summary>
    public TimeSpan? CpuTimeLimit { get; init; }

    /// <summary>How many processes and threads the user may have in all while this one starts further ones; at least 1. Not for root, whom the kernel does not count.</summary>
    public int? MaxProcesses { get; init; }

    /// <summary>How many files the process may have open, from 64 to 1,048,576.</summary>
    public int? MaxOpenFiles { get; init; }

    /// <summary>How large a file the process may write, in bytes; at least one.</summary>
    public long? MaxFileBytes { get; init; }

    /// <summary>
    /// How many threads the process may have, from 64 (the runtime needs two dozen) to 4,194,304. With a control group those of its children count too, and a thread too many is refused; without one the pool looks four times a
    /// second, and kills the worker with <c>CrashReason.ThreadLimit</c>.
    /// </summary>
    public int? MaxThreads { get; init; }

    /// <summary>How much processor time the process gets in a second, in processors: 0.5 is half of one. At least 0.01. Beyond it the process waits. Needs a control group that this user may make.</summary>
    public double? CpuRate { get; init; }

    /// <summary>
    /// How much space the files in a worker's scratch folder may take, in bytes; at least one. The pool looks four times a second, down to once in ten seconds where a look takes long (a twentieth of the time goes into those at one worker), and kills the worker
    /// with <c>CrashReason.ScratchLimit</c>. What cannot be looked through counts as too much: on Linux more than 15,000 files or 3,000 folders, folders more than 256 deep, folders that are closed to this process. Files that were deleted and are open or
    /// mapped still are not seen; <see cref="MaxFileBytes"/> bounds each of them.
    /// </summary>
    public long? MaxScratchBytes { get; init; }

    /// <summary>
    /// The user, and the group of the same number, that the process becomes, from 1 to 2,147,483,647; only where this process is root (with CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_SETUID, CAP_SETGID, CAP_SYS_PTRACE and CAP_KILL), and from <see cref="ConfinementLevel.Restricted"/> up.
    /// That user must be able to read the plugin, the sandbox and the runtime. All workers of the pool are the same user, and <see cref="MaxProcesses"/> counts them together. Null: this process's own.
    /// </summary>
    public int? UserId { get; init; }

    internal bool IsSandbox => Level >= ConfinementLevel.Restricted;

    internal bool HasResourceLimits => MemoryLimit is not null || CpuTimeLimit is not null || MaxProcesses is not null || MaxOpenFiles is not null || MaxFileBytes is not null;

    internal bool HasLimits => HasResourceLimits || MaxThreads is not null || CpuRate is not null || MaxScratchBytes is not null;

    internal ImmutableArray<int> Ports => [.. Weakenings.SelectMany(weakening => weakening.Ports).Distinct()];

    internal bool Allows(Weakening weakening) => Weakenings.Contains(weakening);

    internal bool IsRequired(ConfinementLayer layer) => IsSandbox && !Allows(Weakening.BestEffort(layer));

    /// <summary>Whether the level forbids it and nothing weakens that.</summary>
    internal bool Denies(ConfinementLayer layer) => layer switch
    {
        ConfinementLayer.Network => IsSandbox && !Allows(Weakening.Network) && Ports.IsEmpty,
        ConfinementLayer.ChildProcesses => IsSandbox && !Allows(Weakening.ChildProcesses),
        ConfinementLayer.SharedMemory => Level == ConfinementLevel.Strict && !Allows(Weakening.SharedMemory),
        ConfinementLayer.FileAttributes => Level == ConfinementLevel.Strict && !Allows(Weakening.FileAttributes),
        ConfinementLayer.Environment => IsSandbox && !Allows(Weakening.InheritedEnvironment),
        ConfinementLayer.Descriptors => Level >= ConfinementLevel.Limits,
        _ => IsSandbox,
    };

    /// <summary>Everything that is wrong with it.</summary>
    internal IEnumerable<string> Faults()
    {
        if (ReadablePaths.IsDefault || WritablePaths.IsDefault || Weakenings.IsDefault)
        {
            yield return "Confinement has a list that is default(ImmutableArray<T>): write [].";
            yield break;
        }

        if (!Enum.IsDefined(Level))
        {
            yield return $"Confinement.Level is {Level}; it must be None, Limits, Restricted or Strict.";
            yield break;
        }

        foreach (var path in ReadablePaths.Concat(WritablePaths))
        {
            if (path is null || !Path.IsPathFullyQualified(path) || path.Contains('\0'))
            {
                yield return $"Confinement grants '{path}', which is not an absolute path.";
            }
            else if (!Path.Exists(path))
            {
                yield return $"Confinement grants {path}, which does not exist: rules hold for what is there when a worker starts. Create it first.";
            }
        }

        if (!IsSandbox && (ReadablePaths.Length > 0 || WritablePaths.Length > 0 || Weakenings.Length > 0))
        {
            yield return $"Confinement at level {Level} forbids no files and nothing else that could be granted: take ConfinementPolicy.Restricted, or leave paths and weakenings out.";
        }

        if (Level == ConfinementLevel.None && HasLimits)
        {
            yield return "Confinement at level None has limits: take ConfinementPolicy.Limits.";
        }

        if (Allows(Weakening.Network) && !Ports.IsEmpty)
        {
            yield return "Confinement allows all of the network and some ports of it: leave one of them out.";
        }

        if (MemoryLimit < LeastMemory)
        {
            yield return $"Confinement.MemoryLimit is {MemoryLimit} bytes; .NET needs at least {LeastMemory} ({LeastMemory >> 20} MiB) to start.";
        }

        if (CpuTimeLimit < TimeSpan.FromSeconds(1) || CpuTimeLimit > TimeSpan.FromDays(10_000))
        {
            yield return $"Confinement.CpuTimeLimit is {CpuTimeLimit}; it must be from one second to 10,000 days.";
        }

        if (MaxProcesses < 1)
        {
            yield return $"Confinement.MaxProcesses is {MaxProcesses}; it must be at least 1.";
        }

        if (MaxOpenFiles is < 64 or > 1_048_576)
        {
            yield return $"Confinement.MaxOpenFiles is {MaxOpenFiles}; it must be from 64 (the runtime's own files) to 1,048,576.";
        }

        if (MaxFileBytes < 1)
        {
            yield return $"Confinement.MaxFileBytes is {MaxFileBytes}; it must be at least 1.";
        }

        if (MaxThreads is < LeastThreads or > MostThreads)
        {
            yield return $"Confinement.MaxThreads is {MaxThreads}; it must be from {LeastThreads} (the runtime's own, and the thread pool's) to {MostThreads}.";
        }

        if (CpuRate is not (null or >= 0.01 and <= 10_000))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"Confinement.CpuRate is {CpuRate}; it must be from 0.01 to 10,000 processors.");
        }

        if (MaxScratchBytes < 1)
        {
            yield return $"Confinement.MaxScratchBytes is {MaxScratchBytes}; it must be at least 1.";
        }

        if (UserId < 1)
        {
            yield return $"Confinement.UserId is {UserId}; it must be at least 1: root's sandbox is no sandbox.";
        }

        if (UserId is not null && !IsSandbox)
        {
            yield return $"Confinement at level {Level} cannot change the user: take ConfinementPolicy.Restricted, or leave UserId out.";
        }
    }
}
