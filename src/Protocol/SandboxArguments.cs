using System.Globalization;

namespace ProcessPool.Protocol;

/// <summary>How a host starts the sandbox program: the handles of its four pipe ends and its scratch folder, as command-line arguments.</summary>
/// <param name="ControlIn">Read end of the control channel.</param>
/// <param name="ControlOut">Write end of the control channel.</param>
/// <param name="CallsIn">Read end of the calls channel.</param>
/// <param name="CallsOut">Write end of the calls channel.</param>
/// <param name="Recorder">The number of the recorder's file descriptor, or its path.</param>
/// <param name="Scratch">A folder for the sandbox to delete when its host is gone and cannot, or "".</param>
internal sealed record SandboxArguments(string ControlIn, string ControlOut, string CallsIn, string CallsOut, string Recorder, string Scratch)
{
    /// <summary>Set in a sandbox's environment, to the number of pools around it. Guards against pools that start pools without end.</summary>
    public const string DepthVariable = "PROCESSPOOL_DEPTH";

    /// <summary>Set in a sandbox's environment, to the worker's name.</summary>
    public const string WorkerVariable = "PROCESSPOOL_WORKER";

    /// <summary>Set in a sandbox's environment, to a value of its own. Its descendants inherit it, and are known by it.</summary>
    public const string MarkVariable = "PROCESSPOOL_MARK";

    /// <summary>Where a self-contained host runs as its own sandbox: set until the sandbox's code runs. The sandbox removes it, so whoever finds it set runs instead of a sandbox.</summary>
    public const string HookVariable = "PROCESSPOOL_HOOK";

    /// <summary>The runtime's own: what it runs before a program's <c>Main</c>.</summary>
    public const string HooksVariable = "DOTNET_STARTUP_HOOKS";

    private const string Marker = "--processpool-pipes";

    /// <summary>The command line.</summary>
    public string[] ToCommandLine() => [Marker, ControlIn, ControlOut, CallsIn, CallsOut, Recorder, Scratch];

    /// <summary>The descriptors among them: numbers on Unix.</summary>
    public int[] Descriptors => [.. new[] { ControlIn, ControlOut, CallsIn, CallsOut, Recorder }.Where(handle => int.TryParse(handle, NumberStyles.None, CultureInfo.InvariantCulture, out _)).Select(handle => int.Parse(handle, CultureInfo.InvariantCulture))];

    /// <summary>Reads the command line, or returns null when this is not one (a person started the sandbox by hand).</summary>
    public static SandboxArguments? Parse(string[] arguments) =>
        arguments is [Marker, var controlIn, var controlOut, var callsIn, var callsOut, var recorder, var scratch]
            ? new(controlIn, controlOut, callsIn, callsOut, recorder, scratch)
            : null;
}
