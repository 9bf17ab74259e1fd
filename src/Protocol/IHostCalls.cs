using PolyType;
using StreamJsonRpc;

namespace ProcessPool.Protocol;

/// <summary>Sandbox to host, on the calls channel, while a call executes: the same envelope the other way.</summary>
[JsonRpcContract]
[GenerateShape(IncludeMethods = MethodShapeFlags.PublicInstance)]
internal partial interface IHostCalls
{
    /// <summary>Asks the host for what the call needs of it. Never faults for what the host's code did: that travels in the reply.</summary>
    Task<CallReply> CallbackAsync(CallbackRequest request, CancellationToken cancellationToken);
}
