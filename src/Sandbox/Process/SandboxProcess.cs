using System.IO.Pipes;
using System.Runtime.InteropServices;
using Nerdbank.Streams;
using ProcessPool.Protocol;
using ProcessPool.Sandbox.Interop;

namespace ProcessPool.Sandbox;

/// <summary>The sandbox as a process of its own: opens the pipes, watches the host, serves until told to exit.</summary>
internal static class SandboxProcess
{
    public static async Task<int> RunAsync(SandboxArguments pipes)
    {
        // Ctrl+C in a terminal reaches the whole process group; what it means is the host's decision.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using var quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => context.Cancel = true);
        if (OperatingSystem.IsLinux())
        {
            LibC.AdoptOrphans();
        }

        var control = FullDuplexStream.Splice(HostWatch.Start(Open(PipeDirection.In, pipes.ControlIn), pipes.Scratch), Open(PipeDirection.Out, pipes.ControlOut));
        var calls = FullDuplexStream.Splice(Open(PipeDirection.In, pipes.CallsIn), Open(PipeDirection.Out, pipes.CallsOut));
        var code = await ServeAsync(control, calls).ConfigureAwait(false);

        Descendants.EndAll();

        // Not a plain return: a plugin's foreground thread must not keep the process.
        Environment.Exit(code);
        return code;
    }

    private static async Task<int> ServeAsync(Stream control, Stream calls)
    {
        try
        {
            await SandboxSession.RunAsync(control, calls).ConfigureAwait(false);
            return SandboxExitCode.Stopped;
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync($"The host's messages cannot be understood: {exception.Message}").ConfigureAwait(false);
            return SandboxExitCode.ProtocolError;
        }
    }

    private static AnonymousPipeClientStream Open(PipeDirection direction, string handle)
    {
        var stream = new AnonymousPipeClientStream(direction, handle);
        if (!OperatingSystem.IsWindows())
        {
            LibC.KeepFromChildren((int)stream.SafePipeHandle.DangerousGetHandle());
        }

        return stream;
    }
}
