using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Sandbox.Serving;

namespace ProcessPool.Sandbox;

/// <summary>One life of the sandbox over two duplex streams. The same in a process of its own and in the host's (debug mode).</summary>
public static class SandboxSession
{
    /// <summary>Serves until the host says exit or goes away; returns the exit code.</summary>
    /// <remarks>Public because debug mode finds it by reflection, across load contexts.</remarks>
    public static async Task<int> RunAsync(Stream control, Stream calls)
    {
        using var rpc = RpcChannel.Create(control, "control", WireLimits.MaxControlMessageBytes);
        var service = new ControlService(rpc.Attach<IHostControl>(), calls);
        rpc.AddLocalRpcTarget<ISandboxControl>(service, null);
        rpc.StartListening();
        try
        {
            var ended = await Task.WhenAny(service.ExitRequested, rpc.Completion).ConfigureAwait(false);
            await ended.ConfigureAwait(false);
            return SandboxExitCode.Stopped;
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync($"The host's messages cannot be understood: {exception.Message}").ConfigureAwait(false);
            return SandboxExitCode.ProtocolError;
        }
        finally
        {
            await service.DisposeAsync().ConfigureAwait(false);
        }
    }
}
