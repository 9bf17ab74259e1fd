using System.IO.Pipes;
using System.Runtime.InteropServices;
using ProcessPool.Protocol;
using ProcessPool.Sandbox.Interop;
using ProcessPool.Sandbox.Serving;

namespace ProcessPool.Sandbox;

/// <summary>The sandbox as a process of its own: opens the pipes, watches the host, serves until told to exit.</summary>
internal static class SandboxProcess
{
    /// <summary>The program, in the context of the sandbox's own libraries.</summary>
    public static async Task<int> MainAsync(string[] arguments)
    {
        if (SandboxArguments.Parse(arguments) is { } pipes)
        {
            return await RunAsync(pipes).ConfigureAwait(false);
        }

        await Console.Error.WriteLineAsync(
            "This is the sandbox program of ProcessPool. It is started by a SandboxPool, not by hand: see ProcessPool.Host, or the 'processpool' tool.")
            .ConfigureAwait(false);
        return SandboxExitCode.NotUnderHost;
    }

    private static async Task<int> RunAsync(SandboxArguments pipes)
    {
        // Before anything else is opened or begun.
        var proof = OperatingSystem.IsLinux() ? Confinement.Enter() : "";

        // A terminal's Ctrl+C reaches the whole process group, a service manager's SIGTERM every process: what it means is the host's
        // decision, and the host may want to drain.
        var ignored = Array.ConvertAll(
            [PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGTERM, PosixSignal.SIGHUP],
            signal => PosixSignalRegistration.Create(signal, context => context.Cancel = true));
        if (OperatingSystem.IsLinux())
        {
            LibC.AdoptOrphans();
        }

        var control = PipeEnd.Over(Open(PipeDirection.In, pipes.ControlIn), Open(PipeDirection.Out, pipes.ControlOut), spins: false);
        var calls = PipeEnd.Over(Open(PipeDirection.In, pipes.CallsIn), Open(PipeDirection.Out, pipes.CallsOut), spins: true);
        var code = await ServeAsync(control, calls, pipes, proof).ConfigureAwait(false);

        Descendants.EndAll();
        GC.KeepAlive(ignored);

        // Not a plain return: a plugin's foreground thread must not keep the process.
        Environment.Exit(code);
        return code;
    }

    private static async Task<int> ServeAsync(PipeEnd control, PipeEnd calls, SandboxArguments pipes, string proof)
    {
        try
        {
            await SandboxSession.RunAsync(control, calls, pipes.Recorder, proof, () => HostLoss.End(pipes.Scratch)).ConfigureAwait(false);
            return SandboxExitCode.Stopped;
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync($"The host's messages cannot be read: {exception.GetType()}: {exception.Message}").ConfigureAwait(false);
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
