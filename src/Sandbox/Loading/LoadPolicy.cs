using System.Reflection;
using System.Runtime.Loader;
using McMaster.NETCore.Plugins;

namespace ProcessPool.Sandbox.Loading;

/// <summary>
/// Which assemblies the plugin shares with the sandbox. The framework's, unless the plugin ships a newer one; Abstractions;
/// nothing else. The loader's own defaults would make a plugin's older copy of a framework assembly win.
/// </summary>
internal sealed class LoadPolicy
{
    private const string Abstractions = "ProcessPool.Abstractions";

    private readonly List<AssemblyName> _shared;

    private LoadPolicy(List<AssemblyName> shared) => _shared = shared;

    /// <summary>Reads the plugin's folder and the running framework.</summary>
    public static LoadPolicy For(string entryAssembly)
    {
        var directory = Path.GetDirectoryName(entryAssembly)!;
        var shared = new List<AssemblyName> { new(Abstractions) };
        shared.AddRange(
            from path in FrameworkAssemblies()
            let name = Path.GetFileNameWithoutExtension(path)
            where !IsNewer(Path.Combine(directory, name + ".dll"), path)
            select new AssemblyName(name));
        return new LoadPolicy(shared);
    }

    /// <summary>Hands the lists to the loader. Lazy: the eager mode loads the closure of every shared assembly, and shares it too.</summary>
    public void Apply(PluginConfig config)
    {
        config.IsLazyLoaded = true;
        config.IsUnloadable = false;
        config.DefaultContext = AssemblyLoadContext.GetLoadContext(typeof(LoadPolicy).Assembly)!;
        foreach (var name in _shared)
        {
            config.SharedAssemblies.Add(name);
        }
    }

    private static IEnumerable<string> FrameworkAssemblies()
    {
        var trusted = (string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "";
        var shared = $"{Path.DirectorySeparatorChar}shared{Path.DirectorySeparatorChar}";
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        return trusted.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Where(path =>
            path.StartsWith(runtime, StringComparison.Ordinal) || path.Contains(shared, StringComparison.Ordinal) && path.Contains(".App", StringComparison.Ordinal));
    }

    private static bool IsNewer(string pluginCopy, string frameworkCopy)
    {
        try
        {
            return File.Exists(pluginCopy)
                && AssemblyName.GetAssemblyName(pluginCopy).Version > AssemblyName.GetAssemblyName(frameworkCopy).Version;
        }
        catch (BadImageFormatException)
        {
            return false;
        }
    }
}
