using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;

namespace ProcessPool.Sandbox.Serving;

/// <summary>The host's end of the control channel, as the sandbox sees it.</summary>
internal sealed class HostControl(RequestChannel channel) : IHostControl
{
    public Task StageAsync(StartStage stage) => channel.RequestAsync(nameof(StageAsync), stage);

    public Task PluginStageAsync(string stage) => channel.RequestAsync(nameof(PluginStageAsync), stage);

    public Task LogAsync(PluginLogEntry entry) => channel.RequestAsync(nameof(LogAsync), entry);
}
