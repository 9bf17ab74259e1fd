using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using ProcessPool.Confining.Linux.Interop;

namespace ProcessPool.Confining.Linux;

/// <summary>
/// The rules of a Landlock domain. It confines the thread that enters it, the threads that it makes from then on, and what it executes. Source: Documentation/userspace-api/landlock.rst, linux/landlock.h.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class Landlock : IDisposable
{
    private const int PathBeneath = 1;
    private const int Port = 2;
    private const ulong BindTcp = 1;
    private const ulong ConnectTcp = 2;
    private const ulong AbstractSockets = 1;
    private const ulong Signals = 2;
    private const int PathOnly = 0x200000;
    private const int CloseOnExec = 0x80000;
    private const int AllThreads = 8;

    private readonly int _ruleset;
    private readonly FileRights _handled;

    private Landlock(int ruleset, FileRights handled) => (_ruleset, _handled) = (ruleset, handled);

    /// <summary>The kernel's version of Landlock; 0 when there is none.</summary>
    public static int Abi() => Math.Max(0, (int)LibC.Call(SystemCall.Landlock.Number, 0, 0, 1));

    /// <summary>Begins a set of rules that denies everything the version can deny.</summary>
    /// <param name="abi">The version to use; at most the kernel's.</param>
    /// <param name="deniesNetwork">Whether TCP is denied but for what is granted.</param>
    /// <param name="deniesSignals">Whether processes outside cannot be signalled.</param>
    /// <returns>Null, and the error's number.</returns>
    public static (Landlock? Rules, int Error) Begin(int abi, bool deniesNetwork, bool deniesSignals)
    {
        var handled = LandlockAbi.Handles(abi);
        var attributes = stackalloc ulong[3];
        attributes[0] = (ulong)handled;
        attributes[1] = deniesNetwork && abi >= LandlockAbi.Ports ? BindTcp | ConnectTcp : 0;
        attributes[2] = deniesSignals && abi >= LandlockAbi.Scope ? AbstractSockets | Signals : 0;
        var size = abi >= LandlockAbi.Scope ? 24 : abi >= LandlockAbi.Ports ? 16 : 8;
        var ruleset = LibC.Call(SystemCall.Landlock.Number, (nint)attributes, size, 0);
        return ruleset >= 0 ? (new Landlock((int)ruleset, handled), 0) : (null, (int)-ruleset);
    }

    /// <summary>Grants rights on a file, or on a folder with everything in it.</summary>
    /// <returns>0, or the error's number.</returns>
    public int Grant(string path, FileRights rights)
    {
        var descriptor = LibC.OpenFile(path, PathOnly | CloseOnExec);
        if (descriptor < 0)
        {
            return -descriptor;
        }

        // Rights of folders on something else are an error.
        var granted = rights & _handled & (Directory.Exists(path) ? ~FileRights.None : FileRights.OfFiles);
        var rule = new PathRule { Rights = (ulong)granted, Descriptor = descriptor };
        var result = granted == FileRights.None ? 0 : LibC.Call(SystemCall.LandlockAddRule.Number, _ruleset, PathBeneath, (nint)(&rule), 0);
        _ = LibC.Close(descriptor);
        return (int)-result;
    }

    /// <summary>Grants TCP connections to a port.</summary>
    /// <returns>0, or the error's number.</returns>
    public int GrantConnect(int port)
    {
        var rule = stackalloc ulong[2] { ConnectTcp, (ulong)port };
        return (int)-LibC.Call(SystemCall.LandlockAddRule.Number, _ruleset, Port, (nint)rule, 0);
    }

    /// <summary>Enters the domain. This thread must not gain privileges any more.</summary>
    /// <param name="allThreads">With the process's other threads, which then cannot gain privileges either: <see cref="LandlockAbi.AllThreads"/>.</param>
    /// <returns>0, or the error's number.</returns>
    public int Enter(bool allThreads) => (int)-LibC.Call(SystemCall.LandlockRestrictSelf.Number, _ruleset, allThreads ? AllThreads : 0);

    public void Dispose() => _ = LibC.Close(_ruleset);

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct PathRule
    {
        public ulong Rights;
        public int Descriptor;
    }
}
