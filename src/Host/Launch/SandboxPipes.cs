using System.IO.Pipes;
using Nerdbank.Streams;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;

namespace ProcessPool.Launch;

/// <summary>What a sandbox inherits: the far ends of four anonymous pipes, and the recorder. Made on the spawner thread.</summary>
internal sealed class SandboxPipes : IDisposable
{
    private readonly List<AnonymousPipeServerStream> _pipes = [];

    public SandboxPipes(string scratch)
    {
        try
        {
            var controlToSandbox = Open(PipeDirection.Out);
            var controlToHost = Open(PipeDirection.In);
            var callsToSandbox = Open(PipeDirection.Out);
            var callsToHost = Open(PipeDirection.In);
            Recorder = Recorder.Create();
            Control = FullDuplexStream.Splice(controlToHost, controlToSandbox);
            Calls = FullDuplexStream.Splice(callsToHost, callsToSandbox);
            CallsPipe = OperatingSystem.IsLinux() ? new RawPipe(callsToHost.SafePipeHandle, callsToSandbox.SafePipeHandle) : null;
            Arguments = new SandboxArguments(
                controlToSandbox.GetClientHandleAsString(),
                controlToHost.GetClientHandleAsString(),
                callsToSandbox.GetClientHandleAsString(),
                callsToHost.GetClientHandleAsString(),
                Recorder.Location,
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

    public Recorder Recorder { get; }

    /// <summary>How the sandbox finds them.</summary>
    public SandboxArguments Arguments { get; }

    /// <summary>The sandbox has its ends, or will never be: no other process is to inherit them.</summary>
    public void CloseInherited()
    {
        _pipes.ForEach(pipe => pipe.DisposeLocalCopyOfClientHandle());
        Recorder?.CloseInherited();
    }

    public void Dispose()
    {
        CloseInherited();
        _pipes.ForEach(pipe => pipe.Dispose());
        Recorder?.Dispose();
    }

    private AnonymousPipeServerStream Open(PipeDirection direction)
    {
        var pipe = new AnonymousPipeServerStream(direction, HandleInheritability.Inheritable);
        _pipes.Add(pipe);
        return pipe;
    }
}
