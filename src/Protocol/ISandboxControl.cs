using PolyType;
using StreamJsonRpc;

namespace ProcessPool.Protocol;

/// <summary>Host to sandbox, on the control channel: the life of the sandbox, as in the Language Server Protocol.</summary>
[JsonRpcContract]
[GenerateShape(IncludeMethods = MethodShapeFlags.PublicInstance)]
internal partial interface ISandboxControl
{
    /// <summary>Before everything else, where the sandbox is confined: what it has tried, and how that ended.</summary>
    Task<string> ProveAsync(CancellationToken cancellationToken);

    /// <summary>First message: who talks to whom, and which plugin to load. Answers when the plugin is ready or has failed to load.</summary>
    Task<InitializeReply> InitializeAsync(InitializeRequest request, CancellationToken cancellationToken);

    /// <summary>Which assemblies and native libraries the plugin uses, from where, and why.</summary>
    Task<LoadReportMessage> GetLoadReportAsync(CancellationToken cancellationToken);

    /// <summary>Asks a call to end; nothing happens if it has. Here and not beside the calls: there the plugin may hold the thread that reads.</summary>
    Task CancelAsync(long callId);

    /// <summary>Takes back calls of the chunk that have not begun.</summary>
    /// <param name="callIds">Which; others are left alone.</param>
    /// <returns>Those that were taken back: they will not begin here.</returns>
    Task<long[]> RevokeAsync(long[] callIds);

    /// <summary>Cancels the plugin's stopping token, waits for the running call and disposes the plugin. Answers when done.</summary>
    Task ShutdownAsync(CancellationToken cancellationToken);

    /// <summary>Last message: the sandbox ends its process with exit code 0.</summary>
    Task ExitAsync();
}
