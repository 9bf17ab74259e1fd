using PolyType;
using StreamJsonRpc;

namespace ProcessPool.Protocol.Transport;

/// <summary>The only place that configures StreamJsonRpc: formatter, framing, cap, error strategy, ordering.</summary>
internal static partial class RpcChannel
{
    /// <summary>Makes a connection over a duplex stream. Add targets and proxies, then call <see cref="JsonRpc.StartListening"/>.</summary>
    public static JsonRpc Create(Stream stream, string name, int maxMessageBytes)
    {
        var formatter = new NerdbankMessagePackFormatter { TypeShapeProvider = Shapes.GeneratedTypeShapeProvider };
        return new JsonRpc(new CappedMessageHandler(stream, formatter, maxMessageBytes))
        {
            DisplayName = name,
            ExceptionStrategy = ExceptionProcessing.CommonErrorData,
            // The default context runs one synchronous call after the other on this connection; ordering is ours.
            SynchronizationContext = null,
            CancelLocallyInvokedMethodsWhenConnectionIsClosed = true,
            TraceSource = { Switch = { Level = System.Diagnostics.SourceLevels.Off } },
        };
    }

    [GenerateShapeFor<InitializeRequest>]
    [GenerateShapeFor<InitializeReply>]
    [GenerateShapeFor<CallRequest>]
    [GenerateShapeFor<CallReply>]
    [GenerateShapeFor<StartStage>]
    private sealed partial class Shapes;
}
