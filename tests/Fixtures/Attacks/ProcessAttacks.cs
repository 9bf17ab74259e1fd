using System.Diagnostics;

namespace Attacks;

internal static class ProcessAttacks
{
    private const int HarmlessSignal = 23;
    private const int Forks = 60;

    public static unsafe IEnumerable<(string Name, Func<Target, string> Run)> All() =>
    [
        ("start a program", _ => Attack.Try(() => Start())),
        ("start many programs", _ => Attack.Try(() => Enumerable.Range(0, Forks).ToList().ForEach(_ => Start()))),
        ("fork", _ => Attack.Reaches(Native.Call(56, 220, 0x800), 22)),
        ("fork by clone3", _ => Attack.Reaches(Native.Call(435, 435), 22, 14)),
        ("execute", _ => Attack.Reaches(Native.Call(59, 221), 14)),
        ("execute a descriptor", _ => Attack.Reaches(Native.Call(322, 281, -1), 14, 9)),
        ("signal another", target => Attack.Try(() => Native.Call(62, 129, target.Victim, HarmlessSignal))),
        ("signal another's thread", target => Attack.Try(() => Native.Call(234, 131, target.Victim, target.Victim, HarmlessSignal))),
        ("queue a signal to another", target => Attack.Try(() => Queue(target.Victim))),
        ("open another as a descriptor", target => Attack.Try(() => Closed(Native.Call(434, 434, target.Victim)))),
        ("have the kernel signal another", target => Attack.Try(() => Owned(target.Victim))),
        ("have the kernel signal another, by a socket", target => Attack.Try(() => OwnedSocket(target.Victim))),
        ("signal its own group", _ => Attack.Try(() => Native.Call(62, 129, 0, 0))),
        ("signal everybody", _ => Attack.Try(() => Native.Call(62, 129, -1, 0))),
        ("trace another", target => Attack.Try(() => Native.Call(101, 117, 0x4206, target.Victim))),
        ("read another's memory by a call", target => Attack.Reaches(Native.Call(310, 270, target.Victim, 0, 0, 0, 0), 14, 22)),
        ("change another's priority", target => Attack.Try(() => Native.Call(141, 140, 0, target.Victim, 0))),
        ("move another to other processors", target => Attack.Try(() => { var mask = ulong.MaxValue; return Native.Call(203, 122, target.Victim, 8, (nint)(&mask)); })),
        ("change another's limits", target => Attack.Try(() => Limit(target.Victim))),
        ("change its own limits", _ => Attack.Try(() => Limit(0))),
        ("survive its host", _ => Attack.Try(() => Native.Call(157, 167, 1, 0))),
        ("hide from its host", _ => Attack.Try(() => Native.Call(157, 167, 4, 1))),
        ("leave its group", _ => Attack.Try(() => Native.Call(109, 154, 0, 0))),
        ("leave its session", _ => Attack.Try(() => Native.Call(112, 157))),
        ("share memory of System V", _ => Attack.Try(() => { var id = Native.Call(29, 194, 0, 4096, 0x180); return id < 0 ? id : Native.Call(31, 195, (nint)id, 0); })),
        ("a message queue of System V", _ => Attack.Try(() => { var id = Native.Call(68, 186, 0, 0x180); return id < 0 ? id : Native.Call(71, 187, (nint)id, 0); })),
        ("a semaphore of System V", _ => Attack.Try(() => { var id = Native.Call(64, 190, 0, 1, 0x180); return id < 0 ? id : Native.Call(66, 191, (nint)id, 0, 0); })),
        ("use the key ring", _ => Attack.Reaches(Native.Call(250, 219, 0, -2, 0), 126, 127, 128, 129)),
        ("load a program into the kernel", _ => Attack.Reaches(Native.Call(321, 280), 14, 22, 7)),
        ("count events of others", _ => Attack.Reaches(Native.Call(298, 241), 14)),
        ("handle page faults", _ => Attack.Reaches(Native.Call(323, 282, -1), 22)),
        ("read the kernel's log", _ => Attack.Try(() => Native.Call(103, 116, 10))),
        ("join another's namespace", _ => Attack.Reaches(Native.Call(308, 268, -1), 9)),
        ("unpack a file system", _ => Attack.Reaches(Native.Call(430, 430), 14)),
        ("type into a terminal", _ => Attack.Reaches(Native.Call(16, 29, 1, 0x5412), 25, 14, 5)),
        ("keep the rest of a large page in a pipe", _ => Attack.Reaches(Native.Call(278, 75, -1), 9)),
        ("a large buffer between two sockets", _ => Attack.Try(Buffered)),
        ("use up the machine's asynchronous operations", _ => Attack.Reaches(Native.Call(206, 0), 14, 22)),
        ("have others read something else as its environment", _ => Attack.Reaches(Native.Call(157, 167, 35, 14), 22)),
        ("memory as a file", _ => Attack.Try(() => Native.WithText("x", name => Closed(Native.Call(319, 279, name))))),
        ("memory that no limit counts", _ => Attack.Try(() => Native.MapAnew(0x122))),
        ("shared memory without a file", _ => Attack.Try(Native.MapShared)),
        ("a secret of the host's environment", _ => Environment.GetEnvironmentVariable("HOST_SECRET") is null ? "absent" : "ok"),
    ];

    private static void Start()
    {
        using var process = Process.Start("/bin/true");
        process.WaitForExit();
    }

    private static long Closed(long descriptor)
    {
        if (descriptor >= 0)
        {
            _ = Native.Close((int)descriptor);
        }

        return descriptor;
    }

    private static unsafe long Queue(int victim)
    {
        var information = stackalloc int[32];
        information[0] = HarmlessSignal;
        information[2] = -1;
        return Native.Call(129, 138, victim, HarmlessSignal, (nint)information);
    }

    // F_SETOWN of a pipe, and back.
    private static unsafe long Owned(int victim)
    {
        var ends = stackalloc int[2];
        var made = Native.Call(293, 59, (nint)ends, 0);
        var result = made < 0 ? made : Native.Call(72, 25, ends[0], 8, victim);
        _ = Native.Close(ends[0]);
        _ = Native.Close(ends[1]);
        return result;
    }

    // SO_SNDBUF.
    private static unsafe long Buffered()
    {
        var ends = stackalloc int[2];
        var bytes = 1 << 16;
        var made = Native.Call(53, 199, 1, 1, 0, (nint)ends);
        var result = made < 0 ? made : Native.Call(54, 208, ends[0], 1, 7, (nint)(&bytes), sizeof(int));
        _ = Native.Close(ends[0]);
        _ = Native.Close(ends[1]);
        return result;
    }

    // FIOSETOWN.
    private static unsafe long OwnedSocket(int victim)
    {
        var ends = stackalloc int[2];
        var made = Native.Call(53, 199, 1, 1, 0, (nint)ends);
        var result = made < 0 ? made : Native.Call(16, 29, ends[0], 0x8901, (nint)(&victim));
        _ = Native.Close(ends[0]);
        _ = Native.Close(ends[1]);
        return result;
    }

    // To what they are.
    private static unsafe long Limit(int process)
    {
        var limits = stackalloc ulong[2];
        var read = Native.Call(302, 261, process, 7, 0, (nint)limits);
        return read < 0 ? read : Native.Call(302, 261, process, 7, (nint)limits, 0);
    }
}
