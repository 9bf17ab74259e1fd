using ProcessPool.Confining.Linux;

namespace ProcessPool.Unit.Tests.Confinement;

using Architecture = System.Runtime.InteropServices.Architecture;

/// <summary>What the filter says of system calls, run as the kernel runs it.</summary>
public sealed class SeccompFilterTests
{
    private const int Self = 4_711;
    private const int NotPermitted = 1;
    private const int OutOfMemory = 12;
    private const int PermissionDenied = 13;
    private const int NoSuchCall = 38;

    [Theory]
    [InlineData("read", 0)]
    [InlineData("openat", 257)]
    [InlineData("mmap of a file, shared", 9, 0UL, 4096UL, 3UL, 0x01UL)]
    [InlineData("mmap of memory, private", 9, 0UL, 4096UL, 3UL, 0x22UL)]
    [InlineData("clone of a thread", 56, 0x3D0F00UL)]
    [InlineData("kill of itself", 62, (ulong)Self)]
    [InlineData("tgkill of its own thread", 234, (ulong)Self, 4_712UL)]
    [InlineData("sched_setaffinity of the calling thread, which .NET does for each new one", 203, 0UL)]
    [InlineData("socketpair", 53, 1UL, 0x80001UL)]
    [InlineData("prlimit64 that reads its own", 302, 0UL, 7UL, 0UL)]
    [InlineData("prctl that names a thread", 157, 15UL)]
    [InlineData("ioctl of a terminal", 16, 1UL, 0x5401UL)]
    [InlineData("ioctl that asks how much there is to read", 16, 1UL, 0x541BUL)]
    [InlineData("renameat2 that replaces nothing", 316, 3UL, 0UL, 3UL, 0UL, 1UL)]
    [InlineData("setsockopt SO_KEEPALIVE", 54, 3UL, 1UL, 9UL)]
    [InlineData("fcntl that sets flags", 72, 3UL, 2UL)]
    [InlineData("flock that others can have too", 73, 3UL, 5UL)]
    [InlineData("socketpair that keeps the limits of messages", 53, 1UL, 5UL)]
    public void What_ordinary_code_needs_is_allowed_at_every_level(string call, int number, params ulong[] arguments)
    {
        Assert.True(Of(ConfinementPolicy.Restricted, number, arguments) == FilterMachine.Allowed, $"Expected {call} to be allowed at Restricted.");
        Assert.True(Of(ConfinementPolicy.Strict, number, arguments) == FilterMachine.Allowed, $"Expected {call} to be allowed at Strict.");
    }

    [Theory]
    [InlineData("socket", 41, PermissionDenied, 2UL)]
    [InlineData("execve", 59, PermissionDenied)]
    [InlineData("clone of a process", 56, PermissionDenied, 17UL)]
    [InlineData("clone3", 435, NoSuchCall)]
    [InlineData("io_uring_setup", 425, NoSuchCall)]
    [InlineData("a call that did not exist when this was written", 470, NoSuchCall)]
    [InlineData("kill of another", 62, NotPermitted, 1UL)]
    [InlineData("kill of its group", 62, NotPermitted, 0UL)]
    [InlineData("kill of everybody", 62, NotPermitted, ulong.MaxValue)]
    [InlineData("sched_setaffinity of another", 203, NotPermitted, 1UL)]
    [InlineData("prlimit64 that sets", 302, NotPermitted, 0UL, 7UL, 0x1000UL)]
    [InlineData("prlimit64 that sets, by a pointer above four gibibytes", 302, NotPermitted, 0UL, 7UL, 0x7F00_0000_0000UL)]
    [InlineData("prlimit64 of another", 302, NotPermitted, 1UL)]
    [InlineData("prctl of the death signal", 157, NotPermitted, 1UL)]
    [InlineData("ioctl TIOCSTI", 16, NotPermitted, 0UL, 0x5412UL)]
    [InlineData("ioctl TIOCLINUX", 16, NotPermitted, 0UL, 0x541CUL)]
    [InlineData("fcntl F_SETOWN", 72, NotPermitted, 3UL, 8UL)]
    [InlineData("fcntl F_SETSIG", 72, NotPermitted, 3UL, 10UL)]
    [InlineData("ioctl FIOSETOWN", 16, NotPermitted, 3UL, 0x8901UL)]
    [InlineData("fcntl F_SETLEASE", 72, NotPermitted, 3UL, 1024UL)]
    [InlineData("flock that nobody else can have beside it", 73, NoSuchCall, 3UL, 6UL)]
    [InlineData("fallocate beyond a file's end", 285, NotPermitted, 3UL, 1UL)]
    [InlineData("ioctl FS_IOC_SETVERSION", 16, NotPermitted, 3UL, 0x40087602UL)]
    [InlineData("ioctl EXT4_IOC_MIGRATE", 16, NotPermitted, 3UL, 0x6609UL)]
    [InlineData("ioctl FICLONE", 16, NotPermitted, 3UL, 0x40049409UL)]
    [InlineData("fcntl F_SETPIPE_SZ", 72, NotPermitted, 3UL, 1031UL)]
    [InlineData("setsockopt SO_SNDBUF", 54, NotPermitted, 3UL, 1UL, 7UL)]
    [InlineData("vmsplice", 278, NotPermitted)]
    [InlineData("io_setup", 206, NoSuchCall)]
    [InlineData("file_setattr", 469, NotPermitted)]
    [InlineData("setxattr", 188, NotPermitted)]
    [InlineData("renameat2 that leaves a device behind", 316, NotPermitted, 3UL, 0UL, 3UL, 0UL, 4UL)]
    [InlineData("prctl that moves its environment", 157, NotPermitted, 35UL)]
    [InlineData("ioctl FS_IOC_RESVSP", 16, NotPermitted, 3UL, 0x40305828UL)]
    [InlineData("ioctl FS_IOC_RESVSP64", 16, NotPermitted, 3UL, 0x4030582AUL)]
    [InlineData("ioctl FS_IOC_ZERO_RANGE", 16, NotPermitted, 3UL, 0x40305839UL)]
    [InlineData("ioctl FS_IOC_ENABLE_VERITY", 16, NotPermitted, 3UL, 0x40806685UL)]
    [InlineData("socketpair of datagrams, which could send to any named socket", 53, PermissionDenied, 1UL, 2UL)]
    [InlineData("openat with an access mode that no right is looked at for", 257, PermissionDenied, 0UL, 0UL, 3UL)]
    [InlineData("openat2, whose flags are not seen", 437, NoSuchCall)]
    [InlineData("mmap of memory that grows downwards, which is not counted", 9, OutOfMemory, 0UL, 4096UL, 3UL, 0x122UL)]
    [InlineData("sched_setscheduler to real time", 144, NotPermitted, 0UL, 1UL)]
    [InlineData("connect", 42, PermissionDenied)]
    [InlineData("ptrace", 101, NotPermitted)]
    [InlineData("bpf", 321, NotPermitted)]
    public void What_plugins_must_not_do_is_refused_with_the_error_that_they_expect(string call, int number, int error, params ulong[] arguments)
    {
        Assert.True(Of(ConfinementPolicy.Restricted, number, arguments) == (SeccompFilter.Error | (uint)error), $"Expected {call} to be refused with error {error}.");
        Assert.True(Of(ConfinementPolicy.Strict, number, arguments) == (SeccompFilter.Error | (uint)error), $"Expected {call} to be refused with error {error} at Strict.");
    }

    [Theory]
    [InlineData("memfd_create", 319, NotPermitted)]
    [InlineData("mmap of shared memory", 9, OutOfMemory, 0UL, 4096UL, 3UL, 0x21UL)]
    [InlineData("mmap of shared memory, validated", 9, OutOfMemory, 0UL, 4096UL, 3UL, 0x23UL)]
    [InlineData("chmod", 90, NotPermitted)]
    [InlineData("utimensat", 280, NotPermitted)]
    public void Strict_refuses_shared_memory_and_attributes_and_a_weakening_brings_them_back(string call, int number, int error, params ulong[] arguments)
    {
        Assert.True(Of(ConfinementPolicy.Restricted, number, arguments) == FilterMachine.Allowed, $"Expected {call} to be allowed at Restricted.");
        Assert.True(Of(ConfinementPolicy.Strict, number, arguments) == (SeccompFilter.Error | (uint)error), $"Expected {call} to be refused at Strict.");
        var weak = ConfinementPolicy.Strict with { Weakenings = [Weakening.SharedMemory, Weakening.FileAttributes] };
        Assert.True(Of(weak, number, arguments) == FilterMachine.Allowed, $"Expected {call} to be allowed with its weakening.");
    }

    [Fact]
    public void With_the_network_allowed_only_internet_sockets_are()
    {
        foreach (var policy in new[] { ConfinementPolicy.Strict with { Weakenings = [Weakening.Network] }, ConfinementPolicy.Strict with { Weakenings = [Weakening.ConnectTo(443)] } })
        {
            Assert.Equal(FilterMachine.Allowed, Of(policy, 41, 2, 1));
            Assert.Equal(FilterMachine.Allowed, Of(policy, 41, 10, 1));
            Assert.All(new ulong[] { 1, 16, 17, 38, 40 }, family => Assert.Equal(SeccompFilter.Error | PermissionDenied, Of(policy, 41, family)));
        }
    }

    [Fact]
    public void With_child_processes_allowed_they_can_be_made_and_signalled_and_clone3_still_is_not_there()
    {
        var policy = ConfinementPolicy.Strict with { Weakenings = [Weakening.ChildProcesses] };
        Assert.Equal(FilterMachine.Allowed, Of(policy, 56, 17));
        Assert.All(new ulong[] { 0x8000, 0x20000, 0x10000000, 0x40000000 }, flag => Assert.Equal(SeccompFilter.Error | NotPermitted, Of(policy, 56, flag | 17)));
        Assert.Equal(FilterMachine.Allowed, Of(policy, 59));
        Assert.Equal(FilterMachine.Allowed, Of(policy, 62, 1));
        Assert.Equal(SeccompFilter.Error | NoSuchCall, Of(policy, 435));
    }

    [Theory]
    [InlineData(Architecture.X86, 11)]
    [InlineData(Architecture.X64, 0x40000000 + 59)]
    public void Calls_by_the_numbers_of_another_architecture_end_the_process(Architecture architecture, int number) =>
        Assert.Equal(SeccompFilter.KillProcess, FilterMachine.Run(Filter(ConfinementPolicy.Restricted, Architecture.X64), number, architecture));

    [Theory]
    [InlineData(198, PermissionDenied)]
    [InlineData(221, PermissionDenied)]
    [InlineData(117, NotPermitted)]
    [InlineData(425, NoSuchCall)]
    [InlineData(32, NoSuchCall, 3UL, 6UL)]
    [InlineData(0, NoSuchCall)]
    [InlineData(75, NotPermitted)]
    [InlineData(208, NotPermitted, 3UL, 1UL, 7UL)]
    [InlineData(276, NotPermitted, 3UL, 0UL, 3UL, 0UL, 4UL)]
    public void Arm64_has_its_own_numbers(int number, int error, params ulong[] arguments) =>
        Assert.Equal(SeccompFilter.Error | (uint)error, FilterMachine.Run(Filter(ConfinementPolicy.Strict, Architecture.Arm64), number, Architecture.Arm64, arguments));

    [Fact]
    public void With_some_ports_allowed_what_goes_around_them_is_refused()
    {
        var policy = ConfinementPolicy.Restricted with { Weakenings = [Weakening.ConnectTo(443)] };
        Assert.Equal(FilterMachine.Allowed, Of(policy, 41, 2, 1, 6));
        Assert.Equal(FilterMachine.Allowed, Of(policy, 41, 10, 0x80801, 6));
        Assert.Equal(FilterMachine.Allowed, Of(policy, 41, 2, 0x80002, 17));
        Assert.Equal(SeccompFilter.Error | PermissionDenied, Of(policy, 41, 2, 1, 262));
        // SOCK_SEQPACKET without a protocol is SCTP.
        Assert.Equal(SeccompFilter.Error | PermissionDenied, Of(policy, 41, 2, 5, 0));
        Assert.Equal(SeccompFilter.Error | PermissionDenied, Of(policy, 41, 2, 0x80005, 0));
        Assert.Equal(SeccompFilter.Error | PermissionDenied, Of(policy, 50));
        Assert.Equal(SeccompFilter.Error | NotPermitted, Of(policy, 44, 3, 0, 0, 0x20000000));
    }

    [Fact]
    public void Where_workers_write_the_same_files_they_can_lock_them() =>
        Assert.Equal(FilterMachine.Allowed, Of(ConfinementPolicy.Strict with { WritablePaths = ["/data"] }, 73, 3, 6));

    [Fact]
    public void A_priority_is_set_without_setting_it() => Assert.Equal(SeccompFilter.Error, Of(ConfinementPolicy.Strict, 144, 4_712, 0));

    [Fact]
    public void As_root_modes_and_owners_cannot_be_changed_at_Restricted_either()
    {
        var ofRoot = SeccompFilter.Make(DeniedCalls.For(ConfinementPolicy.Restricted, landlockAbi: 7, isRoot: true), Architecture.X64, Self);
        Assert.Equal(SeccompFilter.Error | NotPermitted, FilterMachine.Run(ofRoot, 90));
        Assert.Equal(FilterMachine.Allowed, FilterMachine.Run(ofRoot, 280));
    }

    [Fact]
    public void Where_Landlock_does_not_know_truncation_the_filter_refuses_it()
    {
        var older = SeccompFilter.Make(DeniedCalls.For(ConfinementPolicy.Restricted, landlockAbi: 2, isRoot: false), Architecture.X64, Self);
        Assert.Equal(SeccompFilter.Error | PermissionDenied, FilterMachine.Run(older, 76));
        Assert.Equal(FilterMachine.Allowed, Of(ConfinementPolicy.Restricted, 76));
        Assert.Equal(SeccompFilter.Error | PermissionDenied, FilterMachine.Run(older, 257, Architecture.X64, 0, 0, 0x200));
        Assert.Equal(FilterMachine.Allowed, FilterMachine.Run(older, 257, Architecture.X64, 0, 0, 0x241));
    }

    [Fact]
    public void Each_call_has_one_number_and_the_filter_is_as_short_as_the_kernel_wants_it()
    {
        var calls = DeniedCalls.For(ConfinementPolicy.Strict, landlockAbi: 1, isRoot: false).Select(denied => denied.Call).Distinct().ToList();
        Assert.Equal(calls.Select(call => call.Name).Distinct(), calls.Select(call => call.Name));
        Assert.Equal(calls.Select(call => call.X64).Distinct(), calls.Select(call => call.X64));
        var onArm64 = calls.Select(call => call.Arm64).Where(number => number != SystemCall.None).ToList();
        Assert.Equal(onArm64.Distinct(), onArm64);
        Assert.InRange(Filter(ConfinementPolicy.Strict, Architecture.X64).Length, 100, 4096);
    }

    private static FilterInstruction[] Filter(ConfinementPolicy policy, Architecture architecture) => SeccompFilter.Make(DeniedCalls.For(policy, landlockAbi: 7, isRoot: false), architecture, Self);

    private static uint Of(ConfinementPolicy policy, int number, params ulong[] arguments) => FilterMachine.Run(Filter(policy, Architecture.X64), number, Architecture.X64, arguments);
}
