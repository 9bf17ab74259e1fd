using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Sandbox.Serving;

namespace ProcessPool.Sandbox;

/// <summary>One life of the sandbox over two duplex streams. The same in a process of its own and in the host's (debug mode).</summary>
public static class SandboxSession
{
    /// <summary>Serves until the host says exit or goes away.</summary>
    /// <param name="control">The control channel.</param>
    /// <param name="calls">The calls channel.</param>
    /// <param name="recorder">Where the recorder page is, or "".</param>
    /// <remarks>Public because debug mode finds it by reflection, across load contexts.</remarks>
    public static Task RunAsync(Stream control, Stream calls, string recorder) => RunAsync(control, CallsEnd.Over(calls), recorder);

    /// <summary>The same, whatever the calls channel is.</summary>
    internal static async Task RunAsync(Stream control, CallsEnd calls, string recorder)
    {
        using var rpc = RpcChannel.Create(control, "control", WireLimits.MaxControlMessageBytes);
        var service = new ControlService(rpc.Attach<IHostControl>(), calls, Recorder.Open(recorder));
        rpc.AddLocalRpcTarget<ISandboxControl>(service, null);
        rpc.StartListening();
        try
        {
            // Faults when the host's messages cannot be understood.
            await (await Task.WhenAny(service.ExitRequested, rpc.Completion).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            await service.DisposeAsync().ConfigureAwait(false);
        }
    }
}
