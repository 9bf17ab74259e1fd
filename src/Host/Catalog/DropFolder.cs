using ProcessPool.Plugins;

namespace ProcessPool.Catalog;

/// <summary>A file of a plugin.</summary>
/// <param name="Path">The path within the plugin's folder, with slashes.</param>
/// <param name="Source">Where it lies.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Changed">When it was changed last, in ticks.</param>
/// <param name="Mode">Who may do what with it.</param>
internal readonly record struct PluginFile(string Path, string Source, long Length, long Changed, UnixFileMode Mode = UnixFileMode.None);

/// <summary>What makes up one plugin in the drop folder.</summary>
/// <param name="Name">The name of its folder, or of its DLL.</param>
/// <param name="Path">Its folder, or its DLL.</param>
/// <param name="Files">Its files, by path.</param>
/// <param name="Fault">Why it cannot be taken; null when it can.</param>
internal sealed record DroppedPlugin(string Name, string Path, IReadOnlyList<PluginFile> Files, SandboxPoolException? Fault = null)
{
    /// <summary>Differs when anything was changed.</summary>
    public string Stamp { get; } = $"{Fault?.Message}|{string.Join('|', Files.Select(file => $"{file.Path}:{file.Length}:{file.Changed}:{file.Mode:D}"))}";
}

/// <summary>Which plugins lie in a folder. Looks only: nothing is locked, loaded or executed.</summary>
/// <param name="directory">The folder.</param>
/// <param name="read">Reads one assembly's metadata; null: as it is.</param>
internal sealed class DropFolder(string directory, Func<string, AssemblyScan>? read = null)
{
    private const int MaxFiles = 20_000;

    private readonly Func<string, AssemblyScan> _read = read ?? AssemblyScan.Read;
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);

    /// <summary>Looks once.</summary>
    /// <exception cref="IOException">The folder itself cannot be read.</exception>
    public IReadOnlyDictionary<string, DroppedPlugin> Look()
    {
        var found = new Dictionary<string, DroppedPlugin>(StringComparer.Ordinal);
        foreach (var folder in Directory.EnumerateDirectories(directory).Where(IsVisible))
        {
            var name = Path.GetFileName(folder);
            found[name] = FromFolder(name, folder);
        }

        foreach (var source in LookAtFiles())
        {
            found[found.ContainsKey(source.Name) ? source.Name + ".dll" : source.Name] = source;
        }

        return found;
    }

    /// <summary>A plugin by the path of its folder or its DLL.</summary>
    /// <exception cref="PluginLoadException">It cannot be taken.</exception>
    public static DroppedPlugin At(string path)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        var plugin = Directory.Exists(path) ? FromFolder(Path.GetFileName(path), path) : new DroppedPlugin(name, path, FilesOf(path, AssemblyScan.Read(path)));
        return plugin.Fault is null ? plugin : throw plugin.Fault;
    }

    private static DroppedPlugin FromFolder(string name, string folder)
    {
        try
        {
            var root = Path.TrimEndingDirectorySeparator(Resolve(new DirectoryInfo(folder)));
            var files = new List<PluginFile>();
            Collect(root, root, files);
            return new DroppedPlugin(name, folder, [.. files.OrderBy(file => file.Path, StringComparer.Ordinal)], files.Count == 0 ? PluginInfo.Unusable(folder, "the folder is empty") : null);
        }
        catch (PluginLoadException exception)
        {
            return new DroppedPlugin(name, folder, [], exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new DroppedPlugin(name, folder, [], PluginInfo.Unusable(folder, exception.Message, exception));
        }
    }

    private static void Collect(string root, string folder, List<PluginFile> files)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            // A link may make a plugin whole, but not reach what is not the plugin's: its target would be copied for the plugin to read.
            var path = entry.LinkTarget is null ? entry.FullName : Resolve(entry);
            if (entry.LinkTarget is not null && !path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            {
                throw PluginInfo.Unusable(entry.FullName, $"it is a link to {path}, which is not within the plugin's folder. Put a copy there");
            }

            if (Directory.Exists(path))
            {
                if (entry.LinkTarget is not null)
                {
                    throw PluginInfo.Unusable(entry.FullName, "it is a link to a folder. Put the folder there");
                }

                Collect(root, path, files);
            }
            else if (File.Exists(path) && FileOf(Path.GetRelativePath(root, entry.FullName), path) is { } file)
            {
                files.Add(file);
            }

            if (files.Count > MaxFiles)
            {
                throw PluginInfo.Unusable(root, $"it has more than {MaxFiles} files");
            }
        }
    }

    private List<DroppedPlugin> LookAtFiles()
    {
        // What a DLL offers also depends on those beside it, so a scan lasts only while none of them changes.
        var files = Directory.EnumerateFiles(directory, "*.dll").Where(IsVisible).Order(StringComparer.Ordinal).ToList();
        var listing = string.Join('|', files.Select(file => $"{file}:{File.GetLastWriteTimeUtc(file).Ticks}"));
        var builds = new Lazy<string>(() => string.Join(' ', files.Select(Module.MvidOf)));
        var scans = files.Select(path => (Path: path, Found: Scan(path, listing, builds))).ToList();
        foreach (var gone in _known.Keys.Except(scans.Select(scan => scan.Path)).ToList())
        {
            _known.Remove(gone);
        }

        var needed = scans.SelectMany(scan => scan.Found.Scan?.References ?? []).Where(reference => reference.IsShipped).Select(reference => reference.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var sources = new List<DroppedPlugin>();
        foreach (var (path, (scan, fault)) in scans)
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (scan is { EntryPoints.Count: > 0 })
            {
                sources.Add(new DroppedPlugin(name, path, FilesOf(path, scan)));
            }
            else if (fault is not null)
            {
                sources.Add(new DroppedPlugin(name, path, FilesBeside(path), fault));
            }
            else if (scan is not null && !needed.Contains(name))
            {
                sources.Add(new DroppedPlugin(name, path, FilesBeside(path), PluginInfo.Unusable(path, "it has no entry point, and no plugin beside it refers to it")));
            }
        }

        return sources;
    }

    // What was read before is not read again unless the file was changed.
    private (AssemblyScan? Scan, PluginLoadException? Fault) Scan(string path, string listing, Lazy<string> builds)
    {
        if (new FileInfo(path).LinkTarget is { } target)
        {
            return (null, PluginInfo.Unusable(path, $"it is a link to {target}. Put a copy there, or make it a folder"));
        }

        if (FileOf("", path) is not { } file)
        {
            return default;
        }

        // One that was only touched or copied anew is the same build still, and so are those beside it.
        if (_known.TryGetValue(path, out var known) && known.Length == file.Length && (known.Listing == listing || known.Builds == builds.Value))
        {
            _known[path] = known with { Listing = listing };
            return (known.Scan, null);
        }

        try
        {
            var scan = _read(path);
            _known[path] = new Known(file.Length, listing, builds.Value, scan);
            return (scan, null);
        }
        catch (PluginLoadException exception)
        {
            // Tried again at each look: whoever writes it may hold it locked, and letting go of it changes no time.
            _known.Remove(path);
            return (null, exception);
        }
    }

    private static List<PluginFile> FilesOf(string path, AssemblyScan scan) =>
        [.. FilesBeside(path).Concat(scan.References.Where(reference => reference.IsShipped).SelectMany(reference => FilesBeside(Path.Combine(Path.GetDirectoryName(path)!, reference.Name + ".dll"))))
            .DistinctBy(file => file.Path).OrderBy(file => file.Path, StringComparer.Ordinal)];

    // Itself, and what the compiler and the SDK write beside it.
    private static List<PluginFile> FilesBeside(string path) =>
        [.. ((string[])[".dll", ".deps.json", ".runtimeconfig.json", ".xml", ".pdb"]).Select(extension => Path.ChangeExtension(path, extension))
            .Where(File.Exists).Select(each => FileOf(Path.GetFileName(each), each)).OfType<PluginFile>()];

    private static PluginFile? FileOf(string path, string source)
    {
        var info = new FileInfo(source);
        return info is { Exists: true, LinkTarget: null } ? new PluginFile(path.Replace(Path.DirectorySeparatorChar, '/'), source, info.Length, info.LastWriteTimeUtc.Ticks, info.UnixFileMode) : null;
    }

    private static string Resolve(FileSystemInfo entry) => entry.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? entry.FullName;

    private static bool IsVisible(string path) => !Path.GetFileName(path).StartsWith('.');

    private readonly record struct Known(long Length, string Listing, string Builds, AssemblyScan Scan);
}
