using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace ProcessPool.Launch;

/// <summary>
/// A job of Windows that a sandbox is put into: when the host ends, however it does, so does the sandbox with all that it started; memory and processes are bounded. Never run: there was no Windows.
/// Source: https://learn.microsoft.com/windows/win32/procthread/job-objects
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed partial class JobObject : IDisposable
{
    private const int ExtendedLimits = 9;
    private const uint BoundProcesses = 0x8;
    private const uint BoundProcessMemory = 0x100;
    private const uint DieOnUnhandledException = 0x400;
    private const uint KillOnClose = 0x2000;

    private readonly SafeFileHandle _job;

    private JobObject(SafeFileHandle job) => _job = job;

    /// <summary>Makes a job with the limits of a policy and puts a process into it.</summary>
    /// <returns>Null when Windows refuses, for example because the process is in a job that does not allow others.</returns>
    public static JobObject? TryMake(ConfinementPolicy policy, SafeProcessHandle process)
    {
        var job = new JobObject(CreateJobObject(0, 0));
        var limits = new Limits
        {
            Flags = KillOnClose | DieOnUnhandledException | (policy.MaxProcesses is null ? 0 : BoundProcesses) | (policy.MemoryLimit is null ? 0 : BoundProcessMemory),
            ActiveProcesses = (uint)(policy.MaxProcesses ?? 0),
            ProcessMemory = (nuint)(policy.MemoryLimit ?? 0),
        };
        if (!job._job.IsInvalid && SetInformationJobObject(job._job, ExtendedLimits, limits, (uint)Marshal.SizeOf<Limits>()) && AssignProcessToJobObject(job._job, process))
        {
            return job;
        }

        job.Dispose();
        return null;
    }

    public void Dispose() => _job.Dispose();

    [LibraryImport("kernel32", EntryPoint = "CreateJobObjectW", SetLastError = true)]
    private static partial SafeFileHandle CreateJobObject(nint attributes, nint name);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetInformationJobObject(SafeFileHandle job, int kind, in Limits limits, uint length);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool AssignProcessToJobObject(SafeFileHandle job, SafeProcessHandle process);

    /// <summary>JOBOBJECT_EXTENDED_LIMIT_INFORMATION.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Limits
    {
        public long ProcessTime;
        public long JobTime;
        public uint Flags;
        public nuint LeastWorkingSet;
        public nuint MostWorkingSet;
        public uint ActiveProcesses;
        public nuint Affinity;
        public uint Priority;
        public uint Scheduling;
        public ulong ReadOperations;
        public ulong WriteOperations;
        public ulong OtherOperations;
        public ulong ReadBytes;
        public ulong WrittenBytes;
        public ulong OtherBytes;
        public nuint ProcessMemory;
        public nuint JobMemory;
        public nuint PeakProcessMemory;
        public nuint PeakJobMemory;
    }
}
