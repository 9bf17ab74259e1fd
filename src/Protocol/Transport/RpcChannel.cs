using StreamJsonRpc;

namespace ProcessPool.Protocol.Transport;

/// <summary>The only place that configures StreamJsonRpc: formatter, framing, cap, error strategy, ordering.</summary>
internal static class RpcChannel
{
    /// <summary>Makes a connection over a duplex stream. Add targets and proxies, then call <see cref="JsonRpc.StartListening"/>.</summary>
    /// <param name="stream">Both directions.</param>
    /// <param name="name">For traces.</param>
    /// <param name="maxMessageBytes">The frame cap.</param>
    /// <param name="gate">Which requests the other side may make. It is trusted when this is left out.</param>
    public static JsonRpc Create(Stream stream, string name, int maxMessageBytes, RequestGate? gate = null) =>
        Create(name, new FrameHandler(stream, maxMessageBytes, gate));

    /// <summary>The same over framing of another kind, for tests of what the other side may do wrong.</summary>
    internal static JsonRpc Create(string name, IJsonRpcMessageHandler framing) =>
        new(framing)
        {
            DisplayName = name,
            ExceptionStrategy = ExceptionProcessing.CommonErrorData,
            // The default context runs one synchronous call after the other on this connection; ordering is ours.
            SynchronizationContext = null,
            CancelLocallyInvokedMethodsWhenConnectionIsClosed = true,
            TraceSource = { Switch = { Level = System.Diagnostics.SourceLevels.Off } },
        };
}
