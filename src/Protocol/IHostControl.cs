using PolyType;
using StreamJsonRpc;

namespace ProcessPool.Protocol;

/// <summary>Sandbox to host, on the control channel.</summary>
[JsonRpcContract]
[GenerateShape(IncludeMethods = MethodShapeFlags.PublicInstance)]
internal partial interface IHostControl
{
    /// <summary>A step of the handshake is done. Each one extends the start deadline.</summary>
    Task StageAsync(StartStage stage);
}
