using PolyType;
using StreamJsonRpc;

namespace ProcessPool.Protocol.Transport;

/// <summary>The only place that configures StreamJsonRpc: formatter, framing, cap, error strategy, ordering.</summary>
internal static partial class RpcChannel
{
    /// <summary>Makes a connection over a duplex stream. Add targets and proxies, then call <see cref="JsonRpc.StartListening"/>.</summary>
    /// <param name="stream">Both directions.</param>
    /// <param name="name">For traces.</param>
    /// <param name="maxMessageBytes">The frame cap.</param>
    /// <param name="gate">Which requests the other side may make. It is trusted when this is left out.</param>
    public static JsonRpc Create(Stream stream, string name, int maxMessageBytes, RequestGate? gate = null) =>
        Create(name, formatter => new CappedMessageHandler(stream, formatter, maxMessageBytes, gate));

    /// <summary>The same over framing of another kind, for tests of what the other side may do wrong.</summary>
    internal static JsonRpc Create(string name, Func<IJsonRpcMessageFormatter, IJsonRpcMessageHandler> framing) =>
        new(framing(new NerdbankMessagePackFormatter { TypeShapeProvider = Shapes.GeneratedTypeShapeProvider }))
        {
            DisplayName = name,
            ExceptionStrategy = ExceptionProcessing.CommonErrorData,
            // The default context runs one synchronous call after the other on this connection; ordering is ours.
            SynchronizationContext = null,
            CancelLocallyInvokedMethodsWhenConnectionIsClosed = true,
            TraceSource = { Switch = { Level = System.Diagnostics.SourceLevels.Off } },
        };

    [GenerateShapeFor<InitializeRequest>]
    [GenerateShapeFor<InitializeReply>]
    [GenerateShapeFor<LoadReportMessage>]
    [GenerateShapeFor<CallRequest>]
    [GenerateShapeFor<CallReply>]
    [GenerateShapeFor<StartStage>]
    [GenerateShapeFor<CallbackRequest>]
    [GenerateShapeFor<PluginLogEntry>]
    [GenerateShapeFor<long>]
    [GenerateShapeFor<string>]
    private sealed partial class Shapes;
}
