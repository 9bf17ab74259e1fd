namespace ProcessPool.Protocol;

/// <summary>How the sandbox ends by itself. Anything else was the plugin's or the system's doing.</summary>
internal static class SandboxExitCode
{
    /// <summary>Asked to by the host.</summary>
    public const int Stopped = 0;

    /// <summary>Started without the host's pipes.</summary>
    public const int NotUnderHost = 64;

    /// <summary>Confining itself failed half-way.</summary>
    public const int NotConfined = 65;

    /// <summary>The host's messages could not be understood, or there was no memory to read them.</summary>
    public const int ProtocolError = 68;
}
