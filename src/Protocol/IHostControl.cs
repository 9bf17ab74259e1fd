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

    /// <summary>The plugin has reached a stage of its own initialization. Extends the start deadline too.</summary>
    Task PluginStageAsync(string stage);

    /// <summary>A line of the plugin's log. Answered when it is written, so that a plugin cannot write faster than the host.</summary>
    Task LogAsync(PluginLogEntry entry);
}
