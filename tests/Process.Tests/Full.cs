namespace ProcessPool.Process.Tests;

/// <summary>What takes so long that it is not run each time.</summary>
internal static class Full
{
    public const string HowToAsk = "PROCESSPOOL_FULL=1 dotnet test runs this too, as the gate (.ci/run) does.";

    public static bool IsAsked { get; } = Environment.GetEnvironmentVariable("PROCESSPOOL_FULL") == "1";
}
