using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace ProcessPool.Sandbox;

/// <summary>The sandbox and its libraries, apart from those of whoever runs it. Compiled into the host too, for debug mode.</summary>
/// <param name="program">The sandbox program's path.</param>
internal sealed class SandboxContext(string program) : AssemblyLoadContext("ProcessPool sandbox")
{
    // Precompiled code can be used once in a process: what is loaded here is a second file, not the program again.
    private readonly string _directory = LibrariesOf(Path.GetDirectoryName(program)!);

    /// <summary>A method of the sandbox.</summary>
    public T Find<T>(string type, string method)
        where T : Delegate =>
        LoadFromAssemblyName(new AssemblyName("ProcessPool.Sandbox")).GetType(type, throwOnError: true)!
            .GetMethod(method, BindingFlags.Public | BindingFlags.Static)!
            .CreateDelegate<T>();

    // Precompiled for this platform where there is that. Not by the runtime's own identifier: it names the distribution that built it.
    private static string LibrariesOf(string folder)
    {
        var system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        var precompiled = Path.Combine(folder, "lib", $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}");
        return Directory.Exists(precompiled) ? precompiled : Path.Combine(folder, "lib");
    }

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var path = Path.Combine(_directory, assemblyName.Name + ".dll");
        return File.Exists(path) ? LoadFromAssemblyPath(path)
            : assemblyName.Name == "ProcessPool.Sandbox" ? throw new FileNotFoundException($"The sandbox is incomplete: {path} is missing. Build the program again.", path)
            : null;
    }
}
