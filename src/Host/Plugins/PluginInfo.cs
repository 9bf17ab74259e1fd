using ProcessPool.Catalog;
using ProcessPool.Diagnostics;
using ProcessPool.Plugins;

namespace ProcessPool;

/// <summary>What a plugin offers, read from its metadata: nothing of it is loaded or executed.</summary>
public sealed class PluginInfo
{
    private readonly Dictionary<string, EntryPointInfo> _byName;

    private readonly string _path;

    private PluginInfo(string path, AssemblyScan scan, IReadOnlyList<EntryPointInfo> entryPoints)
    {
        _path = path;
        EntryAssembly = scan.Path;
        TargetFramework = scan.TargetFramework;
        Version = scan.Version;
        Mvid = scan.Mvid;
        References = scan.References;
        EntryPoints = entryPoints;
        Needs = RuntimeNeeds.Read(scan.Path, scan.TargetFramework);
        NativeLibraries = DependencyFile.NativeLibraries(scan.Path);
        _byName = entryPoints.ToDictionary(entryPoint => entryPoint.Name, StringComparer.Ordinal);
    }

    /// <summary>The plugin's name: that of its entry assembly.</summary>
    public string Name => Path.GetFileNameWithoutExtension(EntryAssembly);

    /// <summary>The absolute path of the entry assembly.</summary>
    public string EntryAssembly { get; }

    /// <summary>The framework it was built for, such as <c>.NETCoreApp,Version=v8.0</c>, or null when it does not say.</summary>
    public string? TargetFramework { get; }

    /// <summary>The version of the entry assembly.</summary>
    public string Version { get; }

    /// <summary>The identity that the compiler gave to the entry assembly: another one for each build that differs.</summary>
    public Guid Mvid { get; }

    /// <summary>The shared frameworks that it needs, such as <c>Microsoft.AspNetCore.App 8.0</c>.</summary>
    public IReadOnlyList<string> Frameworks => [.. Needs.Frameworks.Select(need => need.ToString())];

    /// <summary>The assemblies that it, and those that it ships, refer to.</summary>
    public IReadOnlyList<AssemblyReferenceInfo> References { get; }

    /// <summary>The native libraries that it ships.</summary>
    public IReadOnlyList<NativeLibraryInfo> NativeLibraries { get; }

    /// <summary>The full names of the contract interfaces that it implements.</summary>
    public IReadOnlyList<string> Contracts => [.. EntryPoints.Select(entryPoint => entryPoint.Contract).OfType<string>().Distinct()];

    /// <summary>What can be called, by name.</summary>
    public IReadOnlyList<EntryPointInfo> EntryPoints { get; }

    /// <summary>Reads a plugin.</summary>
    /// <param name="path">
    /// The plugin's folder, or its DLL. In a folder the entry assembly is the DLL with its own <c>.deps.json</c>; without one, the
    /// only DLL that declares an entry point.
    /// </param>
    /// <exception cref="PluginLoadException">There is no such file or folder, it is no plugin, or it is ambiguous.</exception>
    public static PluginInfo Read(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var full = Path.GetFullPath(path);
        return EntryAssemblyFinder.Find(full) is var scan && scan.EntryPoints.Count > 0
            ? new PluginInfo(Path.TrimEndingDirectorySeparator(full), scan, RefuseDuplicates(scan))
            : throw Unusable(scan.Path, "it has no entry point. Mark a public static method, or a class that implements a contract interface, with [EntryPoint]");
    }

    /// <summary>The digest of its content, all files of its folder, or of its DLL and those it refers to: what <see cref="PluginCatalogOptions.Trust"/> takes. Reads them all.</summary>
    /// <exception cref="PluginLoadException">It cannot be read.</exception>
    public string ComputeDigest()
    {
        try
        {
            return SnapshotStore.DigestOf(DropFolder.At(_path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable(_path, exception.Message, exception);
        }
    }

    /// <summary>A plugin that has no file.</summary>
    internal static PluginInfo Of(string name, IReadOnlyList<EntryPointInfo> entryPoints)
    {
        var scan = new AssemblyScan(Path.GetFullPath(name + ".dll"), null, entryPoints) { Version = "0.0", Mvid = Guid.Empty, References = [] };
        return new PluginInfo(scan.Path, scan, RefuseDuplicates(scan));
    }

    internal RuntimeNeeds Needs { get; }

    /// <summary>The names of assemblies that it refers to and does not ship: a shared framework's, or missing.</summary>
    internal IEnumerable<string> UnresolvedReferences() => References.Where(reference => !reference.IsShipped).Select(reference => reference.Name);

    /// <summary>Whether there is such an entry point, and its result is a stream.</summary>
    internal bool Streams(string? name) => name is not null && _byName.TryGetValue(name, out var entryPoint) && entryPoint.Streams;

    /// <summary>The entry point of a name, or null.</summary>
    internal EntryPointInfo? TryFind(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The entry point of a name.</summary>
    /// <exception cref="CallArgumentException">There is none; the message lists those that exist.</exception>
    internal EntryPointInfo Find(string name, FaultSite site) =>
        _byName.TryGetValue(name, out var entryPoint)
            ? entryPoint
            : throw new CallArgumentException(
                $"{Name} has no entry point '{name}'. It has: {string.Join(", ", EntryPoints.Select(each => each.Name))}.", site);

    internal static PluginLoadException Unusable(string path, string why, Exception? inner = null) =>
        new(LoadStage.Resolve, path, WireText.Clean($"{path} cannot be used as a plugin: {why}."), inner: inner);

    private static List<EntryPointInfo> RefuseDuplicates(AssemblyScan scan)
    {
        var duplicates = scan.EntryPoints.GroupBy(entryPoint => entryPoint.Name).Where(group => group.Count() > 1).Select(group => $"'{group.Key}'").ToList();
        return duplicates.Count == 0
            ? [.. scan.EntryPoints.OrderBy(entryPoint => entryPoint.Name, StringComparer.Ordinal)]
            : throw Unusable(scan.Path, $"several entry points share the name {string.Join(", ", duplicates)}. Name each one: [EntryPoint(\"…\")]");
    }
}
