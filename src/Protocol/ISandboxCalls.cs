using PolyType;
using StreamJsonRpc;

namespace ProcessPool.Protocol;

/// <summary>Host to sandbox, on the calls channel. The one envelope for every call, function or contract method alike.</summary>
[JsonRpcContract]
[GenerateShape(IncludeMethods = MethodShapeFlags.PublicInstance)]
internal partial interface ISandboxCalls
{
    /// <summary>Runs one call. Never faults for what the plugin did: that travels in the reply.</summary>
    Task<CallReply> InvokeAsync(CallRequest request);

    /// <summary>Runs many calls, one after the other. Has no reply of its own: each of them has.</summary>
    Task InvokeManyAsync(CallChunk chunk);

    /// <summary>The next items of the call's stream: as soon as there is one, all that are there.</summary>
    Task<CallReply> NextAsync(long callId);

    /// <summary>Ends the call's stream in the middle. Answers when the plugin's iterator is disposed.</summary>
    Task<CallReply> EndAsync(long callId);
}
