namespace ProcessPool.Plugins;

/// <summary>From a path to the one assembly that is the plugin's entry.</summary>
internal static class EntryAssemblyFinder
{
    public static AssemblyScan Find(string path)
    {
        if (File.Exists(path))
        {
            return AssemblyScan.Read(path);
        }

        if (!Directory.Exists(path))
        {
            throw PluginInfo.Unusable(path, "there is no such file or folder");
        }

        var files = FilesOf(path);
        var withDeps = files.Where(file => File.Exists(Path.ChangeExtension(file, ".deps.json"))).ToList();
        return withDeps switch
        {
            [var only] => AssemblyScan.Read(only),
            [] => Single(path, files, "has no DLL with an entry point"),
            _ => Single(path, withDeps, "has several DLLs with a .deps.json, none of which has an entry point"),
        };
    }

    private static List<string> FilesOf(string folder)
    {
        try
        {
            return [.. Directory.GetFiles(folder, "*.dll").Order(StringComparer.Ordinal)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw PluginInfo.Unusable(folder, $"the folder cannot be read: {exception.Message}");
        }
    }

    private static AssemblyScan Single(string path, List<string> files, string otherwise)
    {
        var (plugins, unreadable) = Scan(files);
        return plugins switch
        {
            [var only] => only,
            [] when unreadable is [var first, ..] && files.Count == 1 => throw first,
            [] => throw PluginInfo.Unusable(
                path, $"the folder {otherwise}{(files.Count == 0 ? ": there is no DLL in it" : $" (it has {string.Join(", ", files.Select(Path.GetFileName))})")}"),
            _ => throw PluginInfo.Unusable(
                path, $"the folder has several entry assemblies: {string.Join(", ", plugins.Select(scan => Path.GetFileName(scan.Path)))}. Give the path of the DLL, or put each plugin into a folder of its own"),
        };
    }

    private static (List<AssemblyScan> Plugins, List<PluginLoadException> Unreadable) Scan(List<string> files)
    {
        var plugins = new List<AssemblyScan>();
        var unreadable = new List<PluginLoadException>();
        foreach (var file in files)
        {
            try
            {
                if (AssemblyScan.Read(file) is { EntryPoints.Count: > 0 } scan)
                {
                    plugins.Add(scan);
                }
            }
            catch (PluginLoadException exception)
            {
                // A native library beside the plugin is no fault.
                unreadable.Add(exception);
            }
        }

        return (plugins, unreadable);
    }
}
