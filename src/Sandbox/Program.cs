namespace ProcessPool.Sandbox;

/// <summary>
/// Loads the sandbox, with its libraries, into a context of their own. The default context, which every plugin falls back to, then has the framework and
/// nothing else: a plugin that does not ship a library gets an error, not by luck the sandbox's version of it.
/// </summary>
internal static class Program
{
    private static Task<int> Main(string[] arguments) => RunAsync(arguments);

    /// <summary>The sandbox.</summary>
    public static Task<int> RunAsync(string[] arguments) =>
        new SandboxContext(typeof(Program).Assembly.Location).Find<Func<string[], Task<int>>>("ProcessPool.Sandbox.SandboxProcess", "MainAsync")(arguments);
}
