using System.Collections;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using ProcessPool.Confining.Linux.Interop;

namespace ProcessPool.Confining.Linux;

/// <summary>
/// How a sandbox confines itself, in two stages. Landlock confines one thread, and the runtime has others by the time managed code runs, its finalizer among them; so the first stage ends by executing the
/// program again, which leaves one thread, that is confined. What forbids executing comes in the second stage. No code of a plugin runs in either.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class ConfinedStart
{
    /// <summary>The name of the error after which the sandbox is of no use.</summary>
    public const string ExecuteFailed = "execve";

    private static readonly SystemCall Duplicate = new("dup3", 292, 24);

    private const int SetNoNewPrivileges = 38;
    private const int SetParentDeathSignal = 1;
    private const int DropFromBoundingSet = 24;
    private const int MostCapabilities = 64;
    private const int NewNetwork = 0x40000000;
    private const int NewIpc = 0x08000000;
    private const int NewHostName = 0x04000000;
    private const int GetFlags = 1;
    private const int SetFlags = 2;
    private const int WriteOnly = 1;
    private const int ReadWrite = 2;
    private const int CloseOnExec = 0x80000;
    private const int CloseRangeOnExec = 4;
    private const int FirstDescriptor = 3;

    // Looking for them in /proc would have the code for that compiled at every start. The host looks there.
    private const int MostDescriptors = 4_096;
    private const int KillSignal = 9;

    /// <summary>The first stage. Returns when all threads could be confined at once, or when the program could not be executed again; otherwise it is executed again, and this process is at its beginning.</summary>
    /// <param name="policy">The policy.</param>
    /// <returns>The error's number of what failed, by its name; for <see cref="Second"/>.</returns>
    public static Dictionary<string, int> First(PolicyText policy)
    {
        var errors = new Dictionary<string, int>();
        BeFirstToBeKilled();
        if (policy.Policy.Level == ConfinementLevel.Strict && LibC.GetEffectiveUserId() == 0)
        {
            var spaces = NewIpc | NewHostName | (policy.Policy.Denies(ConfinementLayer.Network) ? NewNetwork : 0);
            // Beside what is proven: nothing is said to hold because of it.
            _ = LibC.Call(SystemCall.Unshare.Number, spaces);
        }

        DropFromBounds();
        if (policy.Policy.UserId is { } user)
        {
            Note(errors, "user", BecomeUser(user, policy.Scratch));
        }

        var hadCapabilities = Capabilities.Any();
        Capabilities.Drop();
        Note(errors, "no_new_privs", LibC.Prctl(SetNoNewPrivileges, 1, 0, 0, 0) == 0 ? 0 : Marshal.GetLastPInvokeError());
        if (!hadCapabilities && CanConfineAllThreads(policy) && EnterLandlock(policy, [], allThreads: true))
        {
            ResourceLimits.IgnoreFileSizeSignal();
            ResourceLimits.Apply(ResourceLimits.Of(policy.Policy));
            CloseInherited(policy);
            return errors;
        }

        _ = EnterLandlock(policy, errors, allThreads: false);
        KeepOnly(policy.Descriptors, errors);
        ResourceLimits.IgnoreFileSizeSignal();
        Note(errors, ExecuteFailed, ExecuteAgain(policy, errors));
        return errors;
    }

    // Never run: it takes Linux 7.0. Users and capabilities are each thread's own, and a limit of stacks is for the next program: then the program is executed again there too.
    private static bool CanConfineAllThreads(PolicyText policy) =>
        Landlock.Abi() >= LandlockAbi.AllThreads && policy.Policy is { MemoryLimit: null, UserId: null };

    /// <summary>The second stage: before any other thread of ours.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="errors">What failed in the first.</param>
    public static void Second(PolicyText policy, Dictionary<string, int> errors)
    {
        if (policy.Policy.Denies(ConfinementLayer.ChildProcesses))
        {
            // Where there may be children it would come before the thread that ends them.
            _ = LibC.Prctl(SetParentDeathSignal, KillSignal, 0, 0, 0);
            if (LibC.GetParentProcessId() != policy.Host)
            {
                Environment.Exit(1);
            }
        }

        var denied = DeniedCalls.For(policy.Policy, Landlock.Abi(), LibC.GetEffectiveUserId() == 0);
        Note(errors, "seccomp", SeccompFilter.Install(SeccompFilter.Make(denied, RuntimeInformation.ProcessArchitecture, LibC.GetProcessId())));
    }

    /// <summary>Below Restricted: limits, and no open files of the host. Best effort; the host looks at what was achieved.</summary>
    public static void ApplyLimits(PolicyText policy)
    {
        BeFirstToBeKilled();
        ResourceLimits.IgnoreFileSizeSignal();
        ResourceLimits.Apply(ResourceLimits.Of(policy.Policy));
        CloseInherited(policy);
    }

    private static void CloseInherited(PolicyText policy)
    {
        var nothing = LibC.OpenFile("/dev/null", ReadWrite | CloseOnExec);
        for (var descriptor = FirstDescriptor; descriptor < MostDescriptors; descriptor++)
        {
            // The runtime has what it opens closed when a program is executed; what is not was inherited. Its number stays in use, so that nothing else gets it.
            if (LibC.Fcntl(descriptor, GetFlags, 0) == 0 && !policy.Descriptors.Contains(descriptor))
            {
                _ = LibC.Call(Duplicate.Number, nothing, descriptor, CloseOnExec);
            }
        }

        _ = LibC.Close(nothing);
    }

    // When memory is short it is the sandbox that ends, not its host.
    private static unsafe void BeFirstToBeKilled()
    {
        // Best effort: a container may have /proc read-only.
        var descriptor = LibC.OpenFile("/proc/self/oom_score_adj", WriteOnly);
        if (descriptor >= 0)
        {
            fixed (byte* first = "1000"u8)
            {
                _ = LibC.Write(descriptor, first, 4);
            }

            _ = LibC.Close(descriptor);
        }
    }

    // Before the capabilities: afterwards neither it nor the user can be changed any more.
    private static void DropFromBounds()
    {
        for (var capability = 0; capability < MostCapabilities && LibC.Prctl(DropFromBoundingSet, capability, 0, 0, 0) == 0; capability++)
        {
        }
    }

    // The groups first: a user may not change them. The system's calls, for this thread alone: the others end with the next program.
    private static int BecomeUser(int user, string scratch)
    {
        // Not before: until here root's runtime reads what is in it. What root has put there stays root's.
        if (LibC.ChangeOwner(scratch, user, user) != 0)
        {
            return ErrorNumber.NotPermitted;
        }

        var result = LibC.Call(SystemCall.SetGroups.Number);
        result = result < 0 ? result : LibC.Call(SystemCall.SetGroupIds.Number, user, user, user);
        return (int)-(result < 0 ? result : LibC.Call(SystemCall.SetUserIds.Number, user, user, user));
    }

    private static bool EnterLandlock(PolicyText policy, Dictionary<string, int> errors, bool allThreads)
    {
        var children = !policy.Policy.Denies(ConfinementLayer.ChildProcesses);
        var (rules, error) = Landlock.Begin(Landlock.Abi(), deniesNetwork: !policy.Policy.Allows(Weakening.Network), deniesSignals: true);
        if (rules is null)
        {
            Note(errors, "landlock", error);
            return false;
        }

        using (rules)
        {
            foreach (var path in policy.Readable)
            {
                Grant(path, FileRights.Read | (children ? FileRights.Execute : FileRights.None));
            }

            foreach (var path in policy.Policy.WritablePaths.Add(policy.Scratch).Add("/dev/null"))
            {
                Grant(path, FileRights.Write);
            }

            foreach (var path in policy.Devices)
            {
                Grant(path, FileRights.Read | FileRights.WriteFile | FileRights.DeviceControl);
            }

            foreach (var path in policy.Programs)
            {
                Grant(path, FileRights.ReadFile | FileRights.Execute);
            }

            foreach (var port in policy.Policy.Ports)
            {
                Note(errors, "port", rules.GrantConnect(port));
            }

            var entered = rules.Enter(allThreads);
            Note(errors, "landlock", entered);
            return entered == 0 && errors.Count == 0;
        }

        // What is missing is not granted; what is needed and missing fails by itself, with its name.
        void Grant(string path, FileRights rights) => _ = rules.Grant(path, rights);
    }

    private static void KeepOnly(IEnumerable<int> descriptors, Dictionary<string, int> errors)
    {
        Note(errors, "close_range", (int)-LibC.Call(SystemCall.CloseRange.Number, FirstDescriptor, -1, CloseRangeOnExec));
        foreach (var descriptor in descriptors)
        {
            _ = LibC.Fcntl(descriptor, SetFlags, 0);
        }
    }

    // The same program with the same arguments. All that is needed is made before the limits hold.
    private static unsafe int ExecuteAgain(PolicyText policy, Dictionary<string, int> errors)
    {
        var arguments = File.ReadAllBytes("/proc/self/cmdline");
        var variables = new List<byte>();
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            var name = (string)variable.Key;
            variables.AddRange(Encoding.UTF8.GetBytes($"{name}={(name == StageTwo.Variable ? StageTwo.Write(errors) : variable.Value)}\0"));
        }

        if (Environment.GetEnvironmentVariable(StageTwo.Variable) is null)
        {
            variables.AddRange(Encoding.UTF8.GetBytes($"{StageTwo.Variable}={StageTwo.Write(errors)}\0"));
        }

        var program = Encoding.UTF8.GetBytes(Path.GetFullPath(Environment.ProcessPath!) + "\0");
        var environment = variables.ToArray();
        fixed (byte* argumentText = arguments)
        fixed (byte* environmentText = environment)
        fixed (byte* programText = program)
        {
            var argumentList = Pointers(argumentText, arguments);
            var environmentList = Pointers(environmentText, environment);
            fixed (byte** argumentPointers = argumentList)
            fixed (byte** environmentPointers = environmentList)
            {
                ResourceLimits.Apply(ResourceLimits.Of(policy.Policy));
                _ = LibC.Execute(programText, argumentPointers, environmentPointers);
                return Marshal.GetLastPInvokeError();
            }
        }
    }

    private static unsafe byte*[] Pointers(byte* text, byte[] bytes)
    {
        var pointers = new byte*[bytes.Count(each => each == 0) + 1];
        var next = 0;
        for (int at = 0, begin = 0; at < bytes.Length; at++)
        {
            if (bytes[at] == 0)
            {
                pointers[next++] = text + begin;
                begin = at + 1;
            }
        }

        return pointers;
    }

    private static void Note(Dictionary<string, int> errors, string what, int error)
    {
        if (error != 0)
        {
            errors[what] = error;
        }
    }
}

/// <summary>How the second stage knows that it is the second one, and what failed in the first.</summary>
internal static class StageTwo
{
    public const string Variable = "PROCESSPOOL_CONFINED";

    public static string Write(Dictionary<string, int> errors) => string.Join(';', errors.Select(error => FormattableString.Invariant($"{error.Key}={error.Value}")).Prepend("errors"));

    public static Dictionary<string, int> Read(string text) => text.Split(';').Skip(1)
        .Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => int.Parse(pair[1], System.Globalization.CultureInfo.InvariantCulture));
}
