using static ProcessPool.Confining.Linux.ArgumentTest;
using static ProcessPool.Confining.Linux.ErrorNumber;

namespace ProcessPool.Confining.Linux;

/// <summary>A system call that is refused.</summary>
/// <param name="Call">Which.</param>
/// <param name="Error">With which error.</param>
/// <param name="Tests">When: any of them holds. None: always.</param>
internal sealed record DeniedCall(SystemCall Call, int Error, params ArgumentTest[] Tests);

/// <summary>
/// What a policy refuses. Everything else is allowed: a plugin may bring any native library, and a list of what those need would break them. What cannot be told from outside, such as which file is meant, is Landlock's.
/// </summary>
internal static class DeniedCalls
{
    private const uint CloneThread = 0x10000;
    private const uint SharedAnonymous = 0x21;
    private const uint Inet = 2;
    private const uint Inet6 = 10;
    private const uint Unix = 1;
    private const uint GrowsDown = 0x100;
    private const uint KeepSize = 1;
    private const uint NoAccess = 3;
    private const uint AccessAndTruncate = 0x203;
    private const uint Truncate = 0x200;
    private const uint FastOpen = 0x20000000;
    private const uint ControlType = 0xFF00;
    private const uint WhiteOut = 4;
    private const uint ExclusiveLock = 2;
    private const int Nothing = 0;

    private static readonly SystemCall MapMemory = new("mmap", 9, 222);
    private static readonly SystemCall Control = new("ioctl", 16, 29);
    private static readonly SystemCall SetScheduler = new("sched_setscheduler", 144, 119);

    // SOCK_STREAM, SOCK_DGRAM and SOCK_SEQPACKET, each with and without SOCK_NONBLOCK and SOCK_CLOEXEC.
    private static readonly uint[] StreamTypes = [1, 0x801, 0x80001, 0x80801];
    private static readonly uint[] DatagramTypes = [2, 0x802, 0x80002, 0x80802];
    private static readonly uint[] ConnectedTypes = [.. StreamTypes, 5, 0x805, 0x80005, 0x80805];

    // "f", "v", "X", "r", and those of Btrfs, Ceph, bcachefs and F2FS: what file systems are asked for by ioctl, such as space beyond a file's end, attributes, snapshots. Copies that share their blocks (FICLONE) too: .NET then copies.
    private static readonly uint[] FileSystemControls = [0x6600, 0x7600, 0x5800, 0x7200, 0x9400, 0x9700, 0xBC00, 0xF500];

    // Kinds of namespaces, and CLONE_PARENT: a child that is not this process's.
    private static readonly uint[] CloneFlags = [0x8000, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];

    // What no ordinary code needs: a smaller surface of the kernel, and ways around the other layers.
    private static readonly SystemCall[] NotForPlugins =
    [
        SystemCall.Trace, new("process_vm_readv", 310, 270), new("process_vm_writev", 311, 271), new("kcmp", 312, 272),
        SystemCall.New("pidfd_open", 434), SystemCall.New("pidfd_getfd", 438), SystemCall.New("pidfd_send_signal", 424),
        SystemCall.New("process_madvise", 440), SystemCall.New("process_mrelease", 448),
        new("rt_sigqueueinfo", 129, 138), new("rt_tgsigqueueinfo", 297, 240), new("tkill", 200, 130),
        new("setrlimit", 160, 164), new("setpriority", 141, 140), new("sched_setparam", 142, 118),
        new("sched_setattr", 314, 274), new("ioprio_set", 251, 30), new("migrate_pages", 256, 238), new("move_pages", 279, 239),
        new("setsid", 112, 157), new("setpgid", 109, 154),
        new("bpf", 321, 280), new("perf_event_open", 298, 241), new("userfaultfd", 323, 282),
        new("add_key", 248, 217), new("request_key", 249, 218), new("keyctl", 250, 219),
        new("shmget", 29, 194), new("shmctl", 31, 195), new("shmat", 30, 196), new("shmdt", 67, 197),
        new("semget", 64, 190), new("semctl", 66, 191), new("semtimedop", 220, 192), new("semop", 65, 193),
        new("msgget", 68, 186), new("msgctl", 71, 187), new("msgrcv", 70, 188), new("msgsnd", 69, 189),
        new("mq_open", 240, 180), new("mq_unlink", 241, 181),
        new("name_to_handle_at", 303, 264), new("open_by_handle_at", 304, 265),
        new("mount", 165, 40), new("umount2", 166, 39), new("pivot_root", 155, 41), new("chroot", 161, 51),
        SystemCall.New("open_tree", 428), SystemCall.New("move_mount", 429), SystemCall.New("fsopen", 430), SystemCall.New("fsconfig", 431),
        SystemCall.New("fsmount", 432), SystemCall.New("fspick", 433), SystemCall.New("mount_setattr", 442), SystemCall.New("open_tree_attr", 467), SystemCall.New("statmount", 457), SystemCall.New("listmount", 458),
        SystemCall.Unshare, new("setns", 308, 268),
        new("init_module", 175, 105), new("finit_module", 313, 273), new("delete_module", 176, 106),
        new("kexec_load", 246, 104), new("kexec_file_load", 320, 294), new("reboot", 169, 142),
        new("iopl", 172, SystemCall.None), new("ioperm", 173, SystemCall.None), new("modify_ldt", 154, SystemCall.None),
        new("clock_settime", 227, 112), new("clock_adjtime", 305, 266), new("settimeofday", 164, 170), new("adjtimex", 159, 171),
        new("personality", 135, 92), new("mknod", 133, SystemCall.None), new("mknodat", 259, 33),
        new("swapon", 167, 224), new("swapoff", 168, 225), new("sethostname", 170, 161), new("setdomainname", 171, 162),
        new("syslog", 103, 116), new("acct", 163, 89), new("quotactl", 179, 60), SystemCall.New("quotactl_fd", 443),
        new("lookup_dcookie", 212, 18), new("nfsservctl", 180, 42), new("vhangup", 153, 58), new("uselib", 134, SystemCall.None),
        new("fanotify_init", 300, 262), new("fanotify_mark", 301, 263),
        // A page of a pipe can be a piece of a large one, of which the rest is kept too.
        new("vmsplice", 278, 75),
        // Space beside a file's, and more than its owner thinks it has.
        new("setxattr", 188, 5), new("lsetxattr", 189, 6), new("fsetxattr", 190, 7), SystemCall.New("setxattrat", 463),
        new("removexattr", 197, 14), new("lremovexattr", 198, 15), new("fremovexattr", 199, 16), SystemCall.New("removexattrat", 466), SystemCall.New("file_setattr", 469),
    ];

    private static readonly SystemCall[] Attributes =
    [
        new("chmod", 90, SystemCall.None), new("fchmod", 91, 52), SystemCall.ChangeMode, SystemCall.New("fchmodat2", 452),
        new("chown", 92, SystemCall.None), new("fchown", 93, 55), new("lchown", 94, SystemCall.None), new("fchownat", 260, 54),
    ];

    private static readonly SystemCall[] Times =
    [
        new("utime", 132, SystemCall.None), new("utimes", 235, SystemCall.None), new("futimesat", 261, SystemCall.None), new("utimensat", 280, 88),
    ];

    /// <summary>What the policy refuses to the process that it is for.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="landlockAbi">What Landlock does beside it.</param>
    /// <param name="isRoot">Whether the process is root's.</param>
    public static List<DeniedCall> For(ConfinementPolicy policy, int landlockAbi, bool isRoot)
    {
        var children = policy.Denies(ConfinementLayer.ChildProcesses);
        var denied = new List<DeniedCall>
        {
            // As if the kernel did not have them: libraries then do without.
            new(SystemCall.New("io_uring_setup", 425), NotImplemented), new(SystemCall.New("io_uring_enter", 426), NotImplemented),
            new(SystemCall.New("io_uring_register", 427), NotImplemented), new(SystemCall.New("clone3", 435), NotImplemented),
            // A pair of datagram sockets could still send to any socket that has a name.
            new(new("socketpair", 53, 199), PermissionDenied, NoneOf(0, Unix), NoneOf(1, ConnectedTypes)),
            // An access mode that asks for neither reading nor writing opens everything, and no right is looked at.
            new(new("open", 2, SystemCall.None), PermissionDenied, HasAll(1, NoAccess)), new(new("openat", 257, 56), PermissionDenied, HasAll(2, NoAccess)),
            new(SystemCall.New("openat2", 437), NotImplemented),
            // Memory that grows downwards is not counted as data.
            new(MapMemory, OutOfMemory, HasAll(3, GrowsDown)),
            // Space beyond the end of a file: neither its size nor a limit of sizes tells of it.
            new(new("fallocate", 285, 47), NotPermitted, HasAll(1, KeepSize)),
            new(Control, NotPermitted, [.. FileSystemControls.Select(type => Masked(1, ControlType, type))]),
            // A device file, although one without a device.
            new(new("renameat2", 316, 276), NotPermitted, HasAll(4, WhiteOut)),
            // Of these the whole machine has only so many.
            new(new("io_setup", 206, 0), NotImplemented),
            // Done without doing it: for a thread of an ordinary user they change nothing.
            new(SetScheduler, NotPermitted, NoneOf(1, 0)), new(SetScheduler, Nothing),
            new(SystemCall.SetLimit, NotPermitted, OtherProcess(0), NotNull(2)),
            new(new("sched_setaffinity", 203, 122), NotPermitted, OtherProcess(0)),
            // TIOCSTI, TIOCLINUX: input that nobody typed. FIOSETOWN, SIOCSPGRP: signals that the kernel sends.
            new(Control, NotPermitted, OneOf(1, 0x5412, 0x541C, 0x8901, 0x8902)),
            // F_SETOWN, F_SETSIG, F_SETOWN_EX: signals too. F_SETLEASE: whoever opens the file waits. F_SETPIPE_SZ: memory that no limit counts.
            new(new("fcntl", 72, 25), NotPermitted, OneOf(1, 8, 10, 15, 1024, 1031)),
            // PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_MM: what others read as its environment.
            new(new("prctl", 157, 167), NotPermitted, OneOf(0, 1, 4, 35)),
        };
        if (policy.WritablePaths.IsEmpty)
        {
            // Whoever can read a file can lock it, and nobody else could open it by .NET then. .NET does without where there are none, as other libraries do; a plugin alone in its folder needs no lock.
            denied.Add(new(new("flock", 73, 32), NotImplemented, HasAll(1, ExclusiveLock)));
        }

        denied.AddRange(NotForPlugins.Select(call => new DeniedCall(call, NotPermitted)));
        if (children)
        {
            denied.Add(new(new("fork", 57, SystemCall.None), PermissionDenied));
            denied.Add(new(new("vfork", 58, SystemCall.None), PermissionDenied));
            denied.Add(new(SystemCall.MakeProcess, PermissionDenied, Lacks(0, CloneThread)));
            denied.Add(new(SystemCall.Execute, PermissionDenied));
            denied.Add(new(new("execveat", 322, 281), PermissionDenied));

            // The process's own id is a part of the filter, which a child would inherit.
            denied.Add(new(SystemCall.Kill, NotPermitted, NotThis(0)));
            denied.Add(new(new("tgkill", 234, 131), NotPermitted, NotThis(0)));
        }

        else
        {
            denied.Add(new(SystemCall.MakeProcess, NotPermitted, [.. CloneFlags.Select(flag => HasAll(0, flag))]));
        }

        AddNetwork(denied, policy);
        if (landlockAbi < LandlockAbi.Truncation)
        {
            denied.Add(new(new("truncate", 76, 45), PermissionDenied));
            denied.Add(new(new("open", 2, SystemCall.None), PermissionDenied, Masked(1, AccessAndTruncate, Truncate)));
            denied.Add(new(new("openat", 257, 56), PermissionDenied, Masked(2, AccessAndTruncate, Truncate)));
        }

        if (policy.Denies(ConfinementLayer.SharedMemory))
        {
            denied.Add(new(SystemCall.MakeMemory, NotPermitted));
            denied.Add(new(SystemCall.New("memfd_secret", 447), NotPermitted));
            denied.Add(new(MapMemory, OutOfMemory, HasAll(3, SharedAnonymous)));
        }

        if (policy.Denies(ConfinementLayer.FileAttributes))
        {
            denied.AddRange(Attributes.Concat(Times).Select(call => new DeniedCall(call, NotPermitted)));
        }
        else if (isRoot)
        {
            // The files of the whole system are root's own: a mode of one of them would be everybody's way in.
            denied.AddRange(Attributes.Select(call => new DeniedCall(call, NotPermitted)));
        }

        return denied;
    }

    private static void AddNetwork(List<DeniedCall> denied, ConfinementPolicy policy)
    {
        if (policy.Denies(ConfinementLayer.Network))
        {
            // SO_SNDBUF, SO_RCVBUF and those that force them: what waits in a pair of sockets is memory that no limit counts.
            denied.Add(new(new("setsockopt", 54, 208), NotPermitted, OneOf(2, 7, 8, 32, 33)));
            denied.Add(new(SystemCall.Socket, PermissionDenied));
            denied.Add(new(new("connect", 42, 203), PermissionDenied));
            denied.Add(new(new("bind", 49, 200), PermissionDenied));
            denied.Add(new(new("listen", 50, 201), PermissionDenied));
            return;
        }

        if (policy.Ports.IsEmpty)
        {
            denied.Add(new(SystemCall.Socket, PermissionDenied, NoneOf(0, Inet, Inet6)));
            return;
        }

        // Landlock knows the ports of TCP. Protocols that fall back to it, data with the first packet, and listening without a port go around that.
        denied.Add(new(SystemCall.Socket, PermissionDenied, NoneOf(0, Inet, Inet6), NoneOf(1, [.. StreamTypes, .. DatagramTypes]), NoneOf(2, 0, 6, 17)));
        denied.Add(new(new("listen", 50, 201), PermissionDenied));
        denied.Add(new(new("sendto", 44, 206), NotPermitted, HasAll(3, FastOpen)));
        denied.Add(new(new("sendmsg", 46, 211), NotPermitted, HasAll(2, FastOpen)));
        denied.Add(new(new("sendmmsg", 307, 269), NotPermitted, HasAll(3, FastOpen)));
    }
}
