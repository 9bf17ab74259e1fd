using System.Reflection;
using System.Runtime.Loader;

namespace ProcessPool.Sandbox;

/// <summary>
/// Loads the sandbox a second time, with its libraries, into a context of their own. The default context, which every plugin falls back to, then has the
/// framework and nothing else: a plugin that does not ship a library gets an error, not by luck the sandbox's version of it.
/// </summary>
internal static class Program
{
    private static Task<int> Main(string[] arguments)
    {
        var path = typeof(Program).Assembly.Location;
        var main = new SandboxContext(Path.GetDirectoryName(path)!).LoadFromAssemblyPath(path)
            .GetType("ProcessPool.Sandbox.SandboxProcess", throwOnError: true)!
            .GetMethod("MainAsync", BindingFlags.Public | BindingFlags.Static)!;
        return main.CreateDelegate<Func<string[], Task<int>>>()(arguments);
    }

    private sealed class SandboxContext(string directory) : AssemblyLoadContext("ProcessPool sandbox")
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            var path = Path.Combine(directory, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
}
