namespace ProcessPool.Process.Tests.Confinement;

/// <summary>How each attack must end, level by level. The kind of the refusal, not only that there was one: what fails for another reason proves nothing.</summary>
internal static class Expected
{
    private const string Ok = "ok";
    private const string Unauthorized = "UnauthorizedAccessException";
    private const string NotPermitted = "errno 1";
    private const string Denied = "errno 13";
    private const string NoSuchCall = "errno 38";

    // From Restricted up; what differs at Strict follows. Everything else is a call that is not permitted.
    private static readonly Dictionary<string, string> Restricted = new()
    {
        ["read a secret"] = Unauthorized, ["read /etc/passwd"] = Unauthorized, ["list /"] = Unauthorized, ["open a secret for neither reading nor writing"] = Denied, ["list /proc"] = Unauthorized, ["create a file outside"] = Unauthorized,
        ["append to a file outside"] = Unauthorized, ["truncate a file outside"] = Denied, ["delete a file outside"] = Denied, ["open its own assembly for writing"] = Denied,
        ["open the runtime for writing"] = Denied, ["make a symbolic link"] = Unauthorized, ["make a hard link of a secret"] = "errno 18", ["rename a file into its folder"] = Denied,
        ["read a secret by way of .."] = Unauthorized, ["read a secret by way of /proc/self/root"] = Unauthorized, ["read another's environment"] = Denied, ["read another's memory"] = Denied,
        ["read another's command line"] = Unauthorized, ["list another's files"] = Unauthorized, ["read by way of another's root"] = Unauthorized, ["read a secret in a finalizer"] = Unauthorized,
        ["read a secret on a new thread"] = Unauthorized, ["read a secret on a pool thread"] = Unauthorized, ["read a secret on a timer's thread"] = Unauthorized,
        ["read /etc/passwd in a module initializer"] = Unauthorized, ["change a mode outside"] = Ok, ["change times outside"] = Ok, ["see that a file is there"] = Ok, ["watch a folder outside"] = Ok,
        ["use /dev/shm"] = Unauthorized, ["open a device like a GPU's"] = Denied, ["read another worker's folder"] = Unauthorized, ["make itself the last to be killed"] = Unauthorized,
        ["use a file that the host left open"] = "FileNotFoundException",
        ["connect by TCP"] = "SocketException AccessDenied", ["listen by TCP"] = "SocketException AccessDenied", ["send by UDP"] = "SocketException AccessDenied", ["ask by HTTP"] = "SocketException AccessDenied",
        ["connect to a socket file"] = "SocketException AccessDenied", ["connect to an abstract socket"] = "SocketException AccessDenied", ["open a netlink socket"] = Denied, ["make a pair that can send to sockets with names"] = Denied, ["open a packet socket"] = Denied,
        ["open a socket to the hypervisor"] = Denied, ["open a crypto socket"] = Denied, ["make a ring for input and output"] = NoSuchCall,
        ["start a program"] = Denied, ["start many programs"] = Denied, ["fork"] = Denied, ["fork by clone3"] = NoSuchCall, ["execute"] = Denied, ["execute a descriptor"] = Denied,
        ["lock its own assembly against others"] = NoSuchCall, ["use up the machine's asynchronous operations"] = NoSuchCall, ["memory that no limit counts"] = "errno 12", ["memory as a file"] = Ok, ["shared memory without a file"] = Ok, ["a secret of the host's environment"] = "absent",
    };

    private static readonly Dictionary<string, string> Strict = new()
    {
        ["change a mode outside"] = NotPermitted, ["change times outside"] = NotPermitted, ["memory as a file"] = NotPermitted, ["shared memory without a file"] = "errno 12",
    };

    /// <summary>What works at None only where the machine has it, or root does it.</summary>
    public static readonly string[] NotEverywhere =
    [
        "open a packet socket", "open a socket to the hypervisor", "open a crypto socket", "load a program into the kernel", "count events of others", "handle page faults", "read the kernel's log", "unpack a file system",
        "open a file by its handle", "set an attribute outside", "use the key ring", "make a ring for input and output", "read another's memory", "trace another", "type into a terminal", "open a device like a GPU's",
        "leave its session", "open the runtime for writing", "open its own assembly for writing", "use a file that the host left open",
    ];

    /// <summary>The end of an attack; null when that is not fixed.</summary>
    public static string? Of(string attack, ConfinementLevel level, bool isRoot) => level switch
    {
        ConfinementLevel.None => NotEverywhere.Contains(attack) ? null : Ok,
        // Not a sandbox: only what the host left open is gone.
        ConfinementLevel.Limits => attack == "use a file that the host left open" ? "FileNotFoundException" : NotEverywhere.Contains(attack) ? null : Ok,
        ConfinementLevel.Strict when Strict.TryGetValue(attack, out var end) => end,
        // The files of the whole system are root's own.
        _ when isRoot && attack is "change a mode outside" => NotPermitted,
        _ => Restricted.GetValueOrDefault(attack, NotPermitted),
    };
}
