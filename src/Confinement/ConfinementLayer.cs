namespace ProcessPool;

/// <summary>One thing that confinement keeps from a plugin, or bounds.</summary>
public enum ConfinementLayer
{
    /// <summary>Files outside of what the policy grants cannot be read, written, made or deleted.</summary>
    Files,

    /// <summary>No connection, no listening, no datagrams, no sockets of this machine.</summary>
    Network,

    /// <summary>No child processes and no other programs.</summary>
    ChildProcesses,

    /// <summary>Other processes cannot be signalled, traced or read.</summary>
    OtherProcesses,

    /// <summary>Calls of the kernel that ordinary code does not need, and capabilities, are refused.</summary>
    Kernel,

    /// <summary>No memory that other processes could share, and that limits do not see.</summary>
    SharedMemory,

    /// <summary>Modes, owners, times and extended attributes of files cannot be changed.</summary>
    FileAttributes,

    /// <summary>The device files of GPUs cannot be opened.</summary>
    Gpu,

    /// <summary>No variables of this process's environment but a short list.</summary>
    Environment,

    /// <summary>No open files of this process but the pool's own.</summary>
    Descriptors,

    /// <summary><see cref="ConfinementPolicy.MemoryLimit"/>.</summary>
    Memory,

    /// <summary><see cref="ConfinementPolicy.CpuTimeLimit"/>.</summary>
    CpuTime,

    /// <summary><see cref="ConfinementPolicy.MaxProcesses"/>.</summary>
    Processes,

    /// <summary><see cref="ConfinementPolicy.MaxOpenFiles"/>.</summary>
    OpenFiles,

    /// <summary><see cref="ConfinementPolicy.MaxFileBytes"/>.</summary>
    FileSize,

    /// <summary><see cref="ConfinementPolicy.MaxThreads"/>.</summary>
    Threads,

    /// <summary><see cref="ConfinementPolicy.CpuRate"/>.</summary>
    CpuRate,

    /// <summary><see cref="ConfinementPolicy.MaxScratchBytes"/>.</summary>
    Scratch,

    /// <summary><see cref="ConfinementPolicy.UserId"/>.</summary>
    User,
}
