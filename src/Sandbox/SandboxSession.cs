using ProcessPool.Protocol.Transport;
using ProcessPool.Sandbox.Serving;

namespace ProcessPool.Sandbox;

/// <summary>One life of the sandbox over two channels. The same in a process of its own and in the host's (debug mode).</summary>
public static class SandboxSession
{
    /// <summary>Serves until the host says exit or goes away.</summary>
    /// <param name="control">The control channel.</param>
    /// <param name="calls">The calls channel.</param>
    /// <param name="recorder">Where the recorder page is, or "".</param>
    /// <remarks>Public because debug mode finds it by reflection, across load contexts.</remarks>
    public static Task RunAsync(Stream control, Stream calls, string recorder) => RunAsync(PipeEnd.Over(control), PipeEnd.Over(calls), recorder, "", static () => { });

    /// <summary>The same, whatever the channels are.</summary>
    /// <param name="control">The control channel.</param>
    /// <param name="calls">The calls channel.</param>
    /// <param name="recorder">Where the recorder page is, or "".</param>
    /// <param name="proof">What was tried of what must be refused; "" where nothing is.</param>
    /// <param name="hostIsGone">Told when the control channel ends.</param>
    internal static async Task RunAsync(PipeEnd control, PipeEnd calls, string recorder, string proof, Action hostIsGone)
    {
        ControlService service = null!;
        var channel = new RequestChannel(control.Write, (request, cancelled) => service.AnswerAsync(request, cancelled), gate: null, continuesInline: false);
        service = new ControlService(new HostControl(channel), calls, Recorder.Open(recorder), proof);
        ControlThread.Start(control, channel, hostIsGone);
        try
        {
            // Faults when the host's messages cannot be understood.
            await (await Task.WhenAny(service.ExitRequested, channel.Completion).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            await service.DisposeAsync().ConfigureAwait(false);
        }
    }
}
