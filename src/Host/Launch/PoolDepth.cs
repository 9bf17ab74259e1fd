using System.Globalization;
using ProcessPool.Protocol;

namespace ProcessPool.Launch;

/// <summary>How many pools are around this code: a plugin may use a pool, but not without end.</summary>
internal static class PoolDepth
{
    /// <summary>How many pools may stand around each other.</summary>
    public const int Limit = 4;

    /// <summary>Those of processes by the environment, those of debug mode by the flow of execution.</summary>
    public static int Current => Math.Max(Parse(Environment.GetEnvironmentVariable(SandboxArguments.DepthVariable)), InProcess.Value);

    // A plugin in debug mode may bring its own copy of this assembly: what the copies share is in the BCL.
    private static AsyncLocal<int> InProcess
    {
        get
        {
            lock (typeof(AppContext))
            {
                if (AppContext.GetData(SandboxArguments.DepthVariable) is not AsyncLocal<int> depth)
                {
                    AppContext.SetData(SandboxArguments.DepthVariable, depth = new AsyncLocal<int>());
                }

                return depth;
            }
        }
    }

    /// <summary>Debug mode: what flows from here on is inside so many pools.</summary>
    public static void EnterInProcess(int depth) => InProcess.Value = depth;

    /// <summary>What the environment says; anything but a count is none.</summary>
    internal static int Parse(string? text) => int.TryParse(text, CultureInfo.InvariantCulture, out var depth) ? Math.Max(0, depth) : 0;
}
