namespace ProcessPool.Plugins;

/// <summary>A plugin's <c>.deps.json</c>: which native libraries it has for which platform. Its paths must stay within the plugin's folder.</summary>
internal static class DependencyFile
{
    /// <summary>The native libraries of a plugin: those that its <c>.deps.json</c> lists, and those that lie beside its entry assembly.</summary>
    /// <exception cref="PluginLoadException">The file is damaged, or leads out of the folder.</exception>
    public static IReadOnlyList<NativeLibraryInfo> NativeLibraries(string entryAssembly)
    {
        var directory = Path.GetDirectoryName(entryAssembly)!;
        var listed = Read(Path.ChangeExtension(entryAssembly, ".deps.json"));
        var known = listed.Select(library => library.Path).ToHashSet(StringComparer.Ordinal);
        var loose = Directory.EnumerateFiles(directory).Where(IsNative).Select(path => Path.GetFileName(path)).Where(name => !known.Contains(name)).Select(name => new NativeLibraryInfo(name, null));
        return [.. listed.Where(library => File.Exists(Path.Combine(directory, library.Path))).Concat(loose).OrderBy(library => library.Path, StringComparer.Ordinal)];
    }

    private static List<NativeLibraryInfo> Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        return PluginFiles.ReadJson(path, file =>
        {
            var found = new List<NativeLibraryInfo>();
            foreach (var library in (file?["targets"]?.AsObject() ?? []).SelectMany(target => target.Value?.AsObject() ?? []).Select(library => library.Value?.AsObject() ?? []))
            {
                foreach (var kind in (string[])["runtime", "native", "resources", "runtimeTargets"])
                {
                    foreach (var (asset, about) in library[kind]?.AsObject() ?? [])
                    {
                        RefuseOutside(path, asset);
                        if (kind == "native" || kind == "runtimeTargets" && (string?)about?["assetType"] == "native")
                        {
                            found.Add(new NativeLibraryInfo(asset, (string?)about?["rid"]));
                        }
                    }
                }
            }

            return found;
        });
    }

    private static void RefuseOutside(string path, string asset)
    {
        if (Path.IsPathRooted(asset) || asset.Split('/', '\\').Contains(".."))
        {
            throw PluginInfo.Unusable(path, $"it lists '{asset}', which is not within the plugin's folder");
        }
    }

    private static bool IsNative(string path) => Path.GetExtension(path) is ".so" or ".dylib" || Path.GetExtension(path) == ".dll" && !Module.IsManaged(path);
}
