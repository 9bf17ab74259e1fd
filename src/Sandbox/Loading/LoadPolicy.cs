using System.Reflection;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using McMaster.NETCore.Plugins.Loader;
using ProcessPool.Protocol;

namespace ProcessPool.Sandbox.Loading;

/// <summary>Where an assembly comes from, and by which rule.</summary>
internal readonly record struct LoadDecision(LoadKind Kind, string Path, Version? Version, string Why);

/// <summary>
/// Which assemblies the plugin shares with the sandbox: the framework's, unless the plugin ships a newer one; Abstractions; nothing else. The loader's own
/// defaults would make a plugin's older copy of a framework assembly win.
/// </summary>
internal sealed class LoadPolicy
{
    private const string Abstractions = "ProcessPool.Abstractions";

    private static readonly Dictionary<string, string> Framework = FrameworkAssemblies();

    private static readonly EnumerationOptions EverywhereBelow = new() { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };

    private readonly string _entryAssembly;
    private readonly Lazy<AssemblyDependencyResolver> _resolver;
    private readonly string _directory;
    private readonly bool _hasDependencyFile;

    private LoadPolicy(string entryAssembly)
    {
        _entryAssembly = entryAssembly;
        _directory = Path.GetDirectoryName(entryAssembly)!;
        _hasDependencyFile = File.Exists(Path.ChangeExtension(entryAssembly, ".deps.json"));
        _resolver = new Lazy<AssemblyDependencyResolver>(() => new AssemblyDependencyResolver(entryAssembly));
    }

    /// <summary>Reads the plugin's folder and the running framework.</summary>
    public static LoadPolicy For(string entryAssembly) => new(entryAssembly);

    /// <summary>The plugin's context. Lazy: the eager mode of the loader loads the closure of every shared assembly, and shares it too.</summary>
    public AssemblyLoadContext CreateContext()
    {
        var builder = new AssemblyLoadContextBuilder()
            .SetMainAssemblyPath(_entryAssembly)
            .SetDefaultContext(AssemblyLoadContext.GetLoadContext(typeof(LoadPolicy).Assembly)!)
            .IsLazyLoaded(true)
            .PreferDefaultLoadContextAssembly(new AssemblyName(Abstractions));

        // What the plugin does not ship is the framework's anyway: this is every start of a worker.
        foreach (var name in Directory.EnumerateFiles(_directory, "*.dll", EverywhereBelow).Select(Path.GetFileNameWithoutExtension).Where(name => Framework.ContainsKey(name!)).Distinct())
        {
            // Said of both kinds: what a shared assembly refers to would be shared too.
            _ = Decide(name!).Kind == LoadKind.Private
                ? builder.PreferLoadContextAssembly(new AssemblyName(name!))
                : builder.PreferDefaultLoadContextAssembly(new AssemblyName(name!));
        }

        return builder.Build();
    }

    /// <summary>Where a managed assembly of this name comes from.</summary>
    public LoadDecision Decide(string name)
    {
        if (name == Abstractions)
        {
            var own = typeof(IPluginContext).Assembly;
            return new(LoadKind.Shared, own.Location, own.GetName().Version, "it is shared with the sandbox");
        }

        var mine = FindPrivate(name);
        if (Framework.TryGetValue(name, out var framework))
        {
            var version = VersionOf(framework);
            var shipped = mine is null ? null : VersionOf(mine);
            return shipped > version
                ? new(LoadKind.Private, mine!, shipped, $"the plugin's is newer than the framework's {version}")
                : new(LoadKind.Framework, framework, version, mine is null ? "the plugin ships none" : $"the plugin's {(shipped is null ? "is damaged" : $"{shipped} is not newer")}");
        }

        return mine is null
            ? new(LoadKind.Missing, "", null, $"looked for {string.Join(" and ", Places(name + ".dll"))}")
            : new(LoadKind.Private, mine, VersionOf(mine), _hasDependencyFile ? "by the plugin's .deps.json or folder" : "from the plugin's folder");
    }

    /// <summary>Where a native library of this name comes from.</summary>
    public LoadDecision DecideNative(string name)
    {
        var path = _resolver.Value.ResolveUnmanagedDllToPath(name) ?? NativeNames(name).Select(file => Path.Combine(_directory, file)).FirstOrDefault(File.Exists);
        if (path is not null)
        {
            return new(LoadKind.Native, path, null, path.Contains($"{Path.DirectorySeparatorChar}runtimes{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "by the plugin's .deps.json, for this platform" : "from the plugin's folder");
        }

        var others = Directory.EnumerateFiles(_directory, "*", SearchOption.AllDirectories).Where(file => IsNamed(file, name) && !IsManaged(file)).Select(file => Path.GetRelativePath(_directory, file)).Take(4).ToList();
        var places = string.Join(" and ", Places(NativeNames(name).First()));
        return others.Count > 0
            ? new(LoadKind.Missing, "", null, $"the plugin has it for other platforms only ({string.Join(", ", others)}); looked for {places}")
            : new(LoadKind.System, "", null, $"the plugin ships none, so it is the operating system's to find; looked for {places}");
    }

    /// <summary>Whether a file is a .NET assembly.</summary>
    public static bool IsManaged(string path)
    {
        try
        {
            using var file = new PEReader(File.OpenRead(path));
            return file.HasMetadata;
        }
        catch (Exception exception) when (exception is BadImageFormatException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private string? FindPrivate(string name)
    {
        var resolved = _resolver.Value.ResolveAssemblyToPath(new AssemblyName(name));
        if (resolved is not null)
        {
            return resolved;
        }

        var beside = Path.Combine(_directory, name + ".dll");
        return File.Exists(beside) ? beside : null;
    }

    private IEnumerable<string> Places(string file) =>
        _hasDependencyFile ? [Path.Combine(_directory, file), "the plugin's .deps.json"] : [Path.Combine(_directory, file)];

    // As the runtime tries them.
    private static IEnumerable<string> NativeNames(string name) => OperatingSystem.IsWindows()
        ? [name.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) ? name : name + ".dll"]
        : OperatingSystem.IsMacOS() ? [$"{name}.dylib", $"lib{name}.dylib", name] : [$"{name}.so", $"lib{name}.so", name];

    private static bool IsNamed(string file, string name)
    {
        var stem = Path.GetFileNameWithoutExtension(file);
        return Path.GetExtension(file) is ".dll" or ".so" or ".dylib" && (stem == Path.GetFileNameWithoutExtension(name) || stem == "lib" + name || "lib" + stem == name);
    }

    private static Dictionary<string, string> FrameworkAssemblies()
    {
        var trusted = (string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "";
        var shared = $"{Path.DirectorySeparatorChar}shared{Path.DirectorySeparatorChar}";
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        return trusted.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(path => path.StartsWith(runtime, StringComparison.Ordinal) || path.Contains(shared, StringComparison.Ordinal) && path.Contains(".App", StringComparison.Ordinal))
            .DistinctBy(path => Path.GetFileName(path), StringComparer.OrdinalIgnoreCase)
            .ToDictionary(path => Path.GetFileNameWithoutExtension(path), StringComparer.OrdinalIgnoreCase);
    }

    private static Version? VersionOf(string path)
    {
        try
        {
            return AssemblyName.GetAssemblyName(path).Version;
        }
        catch (Exception exception) when (exception is BadImageFormatException or IOException)
        {
            return null;
        }
    }
}
