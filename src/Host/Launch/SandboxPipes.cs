using System.IO.Pipes;
using Nerdbank.Streams;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;

namespace ProcessPool.Launch;

/// <summary>What a sandbox inherits: the far ends of four anonymous pipes, and the shared memory. Made on the spawner thread.</summary>
internal sealed class SandboxPipes : IDisposable
{
    private readonly List<AnonymousPipeServerStream> _pipes = [];

    /// <param name="scratch">The sandbox's scratch folder.</param>
    /// <param name="mailboxBytes">The size of each half of the mailbox.</param>
    public SandboxPipes(string scratch, int mailboxBytes)
    {
        try
        {
            var controlToSandbox = Open(PipeDirection.Out);
            var controlToHost = Open(PipeDirection.In);
            var callsToSandbox = Open(PipeDirection.Out);
            var callsToHost = Open(PipeDirection.In);
            Memory = SharedMemory.Create(mailboxBytes);
            Control = FullDuplexStream.Splice(controlToHost, controlToSandbox);
            Calls = FullDuplexStream.Splice(callsToHost, callsToSandbox);
            CallsPipe = OperatingSystem.IsLinux() ? new RawPipe(callsToHost.SafePipeHandle, callsToSandbox.SafePipeHandle) : null;
            Arguments = new SandboxArguments(
                controlToSandbox.GetClientHandleAsString(),
                controlToHost.GetClientHandleAsString(),
                callsToSandbox.GetClientHandleAsString(),
                callsToHost.GetClientHandleAsString(),
                Memory.Location,
                scratch);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Stream Control { get; }

    public Stream Calls { get; }

    /// <summary>The same, read and written without a thread. Linux only.</summary>
    public RawPipe? CallsPipe { get; }

    public SharedMemory Memory { get; }

    /// <summary>How the sandbox finds them.</summary>
    public SandboxArguments Arguments { get; }

    /// <summary>The sandbox has its ends, or will never be: no other process is to inherit them.</summary>
    public void CloseInherited()
    {
        _pipes.ForEach(pipe => pipe.DisposeLocalCopyOfClientHandle());
        Memory?.CloseInherited();
    }

    public void Dispose()
    {
        CloseInherited();
        _pipes.ForEach(pipe => pipe.Dispose());
        Memory?.Dispose();
    }

    private AnonymousPipeServerStream Open(PipeDirection direction)
    {
        var pipe = new AnonymousPipeServerStream(direction, HandleInheritability.Inheritable);
        _pipes.Add(pipe);
        return pipe;
    }
}
