using ProcessPool.Confining.Linux.Interop;
using static ProcessPool.Confining.Linux.ErrorNumber;
using Layer = ProcessPool.ConfinementLayer;

namespace ProcessPool.Confining.Linux;

/// <summary>From what a sandbox tried and what its host saw to the report. Nothing is taken for granted: a layer holds when the attempt was refused on every kind of thread, with the error that the layer gives.</summary>
/// <param name="policy">What was asked for.</param>
/// <param name="proof">What the sandbox says; null below Restricted.</param>
/// <param name="view">What the host saw; null where it cannot look.</param>
/// <param name="gpuIsOff">Whether the pool's GPU access is off.</param>
/// <param name="strangeFiles">Open files of the sandbox that are not the pool's.</param>
/// <param name="isGrouped">Whether a control group bounds a layer, as the host has just seen.</param>
internal sealed class ReportMaker(ConfinementPolicy policy, ConfinementProof? proof, ProcessView? view, bool gpuIsOff, IReadOnlyList<string> strangeFiles, Func<Layer, bool>? isGrouped = null)
{
    private const string OldKernel = "the kernel has no Landlock: it needs Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK and 'landlock' in the lsm= list";
    private const string NoFilter = "the kernel refuses system call filters: it needs CONFIG_SECCOMP_FILTER, and a container's own profile must allow seccomp(2)";

    private const string Group = "a control group";
    private const string KernelMemory = "what waits in pipes and sockets, and locks of files, are the kernel's memory and not counted";

    private bool IsFiltered => proof is not null && !proof.Errors.ContainsKey("seccomp") && view is { Threads.Count: > 0 } && view.Threads.All(thread => thread.IsFiltered && thread.HasNoNewPrivileges);

    public ConfinementReport Make()
    {
        LayerReport[] layers =
        [
            MakeFiles(), MakeNetwork(),
            Filtered(Layer.ChildProcesses, ("fork", PermissionDenied), ("execute", PermissionDenied)),
            MakeOtherProcesses(),
            MakeKernel(),
            Filtered(Layer.SharedMemory, ("memory", NotPermitted)),
            Filtered(Layer.FileAttributes, ("mode", NotPermitted)),
            MakeGpu(), MakeEnvironment(), MakeDescriptors(),
            .. new[] { Layer.Memory, Layer.CpuTime, Layer.Processes, Layer.OpenFiles, Layer.FileSize }.Select(MakeLimit),
            MakeThreads(), MakeCpuRate(), MakeScratch(), MakeUser(),
        ];
        return new ConfinementReport(policy, [.. layers], IsProven: proof is not null && view is not null);
    }

    private LayerReport MakeFiles() =>
        !policy.IsSandbox ? new(Layer.Files, LayerState.NotAsked)
        : proof is null or { LandlockAbi: 0 } || proof.Errors.ContainsKey("landlock") ? new(Layer.Files, LayerState.Unavailable, Reason: ErrorOr("landlock", OldKernel))
        : Escaped(("read", PermissionDenied), ("make", PermissionDenied)) is { } how ? new(Layer.Files, LayerState.Unavailable, Reason: how)
        : new(Layer.Files, LayerState.Enforced, Landlock);

    private LayerReport MakeNetwork()
    {
        if (!policy.IsSandbox || policy.Allows(Weakening.Network))
        {
            return new(Layer.Network, LayerState.NotAsked);
        }

        if (policy.Ports.IsEmpty || !IsFiltered)
        {
            return Filtered(Layer.Network, ("socket", PermissionDenied), ("datagram", PermissionDenied));
        }

        return proof is null or { LandlockAbi: < LandlockAbi.Ports } || proof.Errors.ContainsKey("port") || proof.Errors.ContainsKey("landlock")
            ? new(Layer.Network, LayerState.Unavailable, Reason: "the kernel cannot tell ports apart: it needs Linux 6.7 or later (Landlock ABI 4)")
            : new(Layer.Network, LayerState.Partial, Landlock, "datagrams (UDP) go to every port");
    }

    private LayerReport MakeOtherProcesses() =>
        policy.IsSandbox && MakeFiles().State != LayerState.Enforced ? new(Layer.OtherProcesses, LayerState.Unavailable, Reason: "their memory and environment are files, and files are not confined") :
        policy.IsSandbox && !policy.Denies(Layer.ChildProcesses) && proof?.LandlockAbi < LandlockAbi.Scope
            ? new(Layer.OtherProcesses, LayerState.Unavailable, Reason: "with child processes it takes Linux 6.12 or later (Landlock ABI 6) to keep signals inside")
            : Filtered(Layer.OtherProcesses, ("signal", NotPermitted), ("trace", NotPermitted));

    private LayerReport MakeKernel() =>
        view?.Threads.FirstOrDefault(thread => thread.HasCapabilities) is not null && policy.IsSandbox
            ? new(Layer.Kernel, LayerState.Unavailable, Reason: "a thread has capabilities left")
            : Filtered(Layer.Kernel, ("trace", NotPermitted));

    private LayerReport MakeGpu() =>
        !gpuIsOff ? new(Layer.Gpu, LayerState.NotAsked)
        : policy.IsSandbox ? MakeFiles() is { State: LayerState.Enforced } ? new(Layer.Gpu, LayerState.Enforced, "device files are not granted") : new(Layer.Gpu, LayerState.Unavailable, Reason: "files are not confined")
        : new(Layer.Gpu, LayerState.Partial, "environment variables", "advice to friendly libraries; device files can be opened below level Restricted");

    private LayerReport MakeEnvironment() =>
        policy.Denies(Layer.Environment) ? new(Layer.Environment, LayerState.Enforced, "a list of what is passed on") : new(Layer.Environment, LayerState.NotAsked);

    private LayerReport MakeDescriptors() =>
        !policy.Denies(Layer.Descriptors) ? new(Layer.Descriptors, LayerState.NotAsked)
        : view is null ? new(Layer.Descriptors, LayerState.Unavailable, Reason: "this platform does not show a process's open files")
        : proof?.Errors.ContainsKey("close_range") == true ? new(Layer.Descriptors, LayerState.Unavailable, Reason: ErrorOr("close_range", "the kernel, or a container's profile, refuses close_range: it needs Linux 5.11"))
        : strangeFiles.Count > 0 ? new(Layer.Descriptors, LayerState.Unavailable, Reason: $"the process has {string.Join(", ", strangeFiles.Take(3))} open")
        : new(Layer.Descriptors, LayerState.Enforced, "closed at the start");

    private LayerReport MakeLimit(Layer layer)
    {
        if (ResourceLimits.Of(policy).FirstOrDefault(limit => limit.Layer == layer) is not { } limit)
        {
            return new(layer, LayerState.NotAsked);
        }

        if (view?.Limits.GetValueOrDefault(limit.Name, long.MaxValue) is not { } actual || actual > limit.Value)
        {
            return new(layer, LayerState.Unavailable, Reason: "the process does not have the limit");
        }

        return layer == Layer.Processes && GetEffectiveUserIdOrOther() == 0 && MakeUser().State != LayerState.Enforced
            ? new(layer, LayerState.Unavailable, "RLIMIT_NPROC", "the kernel does not count root's processes: run the host as an ordinary user, or give the sandbox one with UserId")
            : layer == Layer.Memory && isGrouped?.Invoke(layer) == true ? Grouped(layer)
            : layer == Layer.Memory ? new(layer, LayerState.Partial, "RLIMIT_DATA", MemoryGap)
            : policy.IsSandbox && !policy.Denies(Layer.ChildProcesses) ? new(layer, LayerState.Partial, "a resource limit", "of each process: children have as much again")
            : new(layer, LayerState.Enforced, "a resource limit");
    }

    private string MemoryGap => policy.Denies(Layer.SharedMemory)
        ? KernelMemory
        : $"shared memory is not counted: where it is mapped, the pool's watch on resident memory ends the worker; where not, nothing does. And {KernelMemory}";

    private LayerReport MakeThreads() =>
        policy.MaxThreads is null ? new(Layer.Threads, LayerState.NotAsked)
        : isGrouped?.Invoke(Layer.Threads) == true ? Grouped(Layer.Threads)
        : view is null ? new(Layer.Threads, LayerState.Unavailable, Reason: "this platform does not show how many threads a process has")
        : new(Layer.Threads, LayerState.Partial, "the pool looks", "four times a second, at the sandbox itself and not at its children; in between there may be more");

    private LayerReport MakeCpuRate() =>
        policy.CpuRate is null ? new(Layer.CpuRate, LayerState.NotAsked)
        : isGrouped?.Invoke(Layer.CpuRate) == true ? Grouped(Layer.CpuRate)
        : new(Layer.CpuRate, LayerState.Unavailable, Reason: "no control group with the controller 'cpu' can be made beside this process's own: with systemd give the service Delegate=yes and DelegateSubgroup=host (control groups version 2)");

    private LayerReport Grouped(Layer layer) =>
        policy.IsSandbox ? new(layer, LayerState.Enforced, Group) : new(layer, LayerState.Partial, Group, "below Restricted the plugin can change the group, whose owner it is");

    private LayerReport MakeScratch() =>
        policy.MaxScratchBytes is null ? new(Layer.Scratch, LayerState.NotAsked)
        : new(Layer.Scratch, LayerState.Partial, "the pool looks", "four times a second at most; files that were deleted and are still open or mapped are not seen");

    private LayerReport MakeUser() =>
        policy.UserId is not { } user ? new(Layer.User, LayerState.NotAsked)
        : view is { Threads.Count: > 0 } && view.Threads.All(thread => thread.Ids.Count == 8 && thread.Ids.All(id => id == user)) ? new(Layer.User, LayerState.Enforced, "setresuid")
        : new(Layer.User, LayerState.Unavailable, Reason: ErrorOr("user", MissingForUsers() is { Count: > 0 } missing
            ? $"the host lacks {string.Join(", ", missing)}: run it as root, in a container with these capabilities added, or leave UserId out"
            : "the process is not that user, or what it is cannot be seen"));

    private LayerReport Filtered(Layer layer, params (string What, int Error)[] attempts) =>
        !policy.Denies(layer) ? new(layer, LayerState.NotAsked)
        : !IsFiltered ? new(layer, LayerState.Unavailable, Reason: ErrorOr("seccomp", NoFilter))
        : Escaped(attempts) is { } how ? new(layer, LayerState.Unavailable, Reason: how)
        : new(layer, LayerState.Enforced, "seccomp");

    private string Landlock => $"Landlock ABI {proof!.LandlockAbi}";

    private string ErrorOr(string what, string reason) => proof?.Errors.TryGetValue(what, out var error) == true ? $"{reason} (error {error})" : reason;

    // An attempt that was not refused as it should have been.
    private string? Escaped(params (string What, int Error)[] attempts)
    {
        foreach (var thread in ConfinementProof.Threads)
        {
            foreach (var (what, error) in attempts)
            {
                if (proof!.Attempts.GetValueOrDefault($"{thread}.{what}", -1) is var seen && seen != error)
                {
                    return seen == 0 ? $"'{what}' succeeded on the {thread} thread" : $"'{what}' on the {thread} thread ended with error {seen}, expected {error}";
                }
            }
        }

        return null;
    }

    private static IReadOnlyList<string> MissingForUsers() => OperatingSystem.IsLinux() ? Capabilities.MissingForUsers : [];

    private static uint GetEffectiveUserIdOrOther() => OperatingSystem.IsLinux() ? LibC.GetEffectiveUserId() : uint.MaxValue;
}
