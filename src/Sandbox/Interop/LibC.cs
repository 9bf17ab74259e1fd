using System.Runtime.InteropServices;

namespace ProcessPool.Sandbox.Interop;

/// <summary>The few system calls that .NET has no name for. Unix only; the Linux ones say so.</summary>
internal static partial class LibC
{
    private const int SetFileDescriptorFlags = 2;
    private const int CloseOnExec = 1;
    private const int SetChildSubreaper = 36;
    private const int KillSignal = 9;

    /// <summary>Keeps a file descriptor out of the programs that this process starts.</summary>
    public static void KeepFromChildren(int fileDescriptor) => _ = Fcntl(fileDescriptor, SetFileDescriptorFlags, CloseOnExec);

    /// <summary>Linux: orphaned descendants become children of this process, so that it can still find and end them.</summary>
    public static void AdoptOrphans() => _ = Prctl(SetChildSubreaper, 1, 0, 0, 0);

    /// <summary>Sends SIGKILL.</summary>
    public static void Kill(int processId) => _ = KillProcess(processId, KillSignal);

    /// <summary>Removes an environment variable from what native code sees, and native children inherit.</summary>
    public static void RemoveVariable(string name) => _ = UnsetVariable(name);

    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnsetVariable(string name);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int fileDescriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int KillProcess(int processId, int signal);
}
