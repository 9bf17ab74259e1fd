using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ProcessPool.Plugins;

/// <summary>What one assembly declares. Malformed files are reported, never trusted.</summary>
internal sealed record AssemblyScan(string Path, string? TargetFramework, IReadOnlyList<EntryPointInfo> EntryPoints)
{
    public required string Version { get; init; }

    public required Guid Mvid { get; init; }

    /// <summary>What it and the assemblies beside it refer to.</summary>
    public required IReadOnlyList<AssemblyReferenceInfo> References { get; init; }

    // More than a person writes; each may have names of kilobytes.
    private const int MostEntryPoints = 10_000;

    /// <exception cref="PluginLoadException">The file is not a .NET assembly, is damaged or cannot be read.</exception>
    public static AssemblyScan Read(string path)
    {
        try
        {
            using var modules = new ModuleSet(path);
            var entry = modules.Entry ?? throw PluginInfo.Unusable(path, "it is not a .NET assembly (a native library?)");
            return new AssemblyScan(path, entry.TargetFramework, new EntryPointReader(modules).Read(entry).Take(MostEntryPoints + 1).ToList() is { Count: <= MostEntryPoints } entryPoints ? entryPoints : throw PluginInfo.Unusable(path, $"it has more than {MostEntryPoints} entry points"))
            {
                Version = $"{entry.Reader.GetAssemblyDefinition().Version}",
                Mvid = entry.Mvid,
                References = modules.References(),
            };
        }
        catch (BadImageFormatException exception)
        {
            throw PluginInfo.Unusable(path, $"the file is damaged or not a .NET assembly ({exception.Message})", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw PluginInfo.Unusable(path, exception.Message, exception);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or OverflowException or InvalidCastException or IndexOutOfRangeException or InsufficientExecutionStackException)
        {
            throw PluginInfo.Unusable(path, $"its metadata is damaged ({exception.Message})", exception);
        }
    }
}

/// <summary>The metadata of an assembly, and of those beside it that it refers to.</summary>
internal sealed class ModuleSet : IDisposable
{
    private readonly string _directory;
    private readonly Dictionary<string, Module?> _byName = new(StringComparer.OrdinalIgnoreCase);

    public ModuleSet(string entry)
    {
        Path = entry;
        _directory = System.IO.Path.GetDirectoryName(entry)!;
        Entry = Module.Open(entry);
        _byName[System.IO.Path.GetFileNameWithoutExtension(entry)] = Entry;
    }

    public string Path { get; }

    /// <summary>Null when the file is no .NET assembly.</summary>
    public Module? Entry { get; }

    /// <summary>An assembly beside the entry assembly, or null.</summary>
    public Module? Find(string name)
    {
        if (!_byName.TryGetValue(name, out var module))
        {
            // The name comes from metadata: it must not lead anywhere else.
            var path = System.IO.Path.Combine(_directory, name + ".dll");
            _byName[name] = module = name == System.IO.Path.GetFileName(name) && File.Exists(path) ? Module.Open(path) : null;
        }

        return module;
    }

    private Module? FindSound(string name)
    {
        try
        {
            return Find(name);
        }
        catch (BadImageFormatException)
        {
            return null;
        }
    }

    /// <summary>What the entry assembly refers to, and in turn those beside it. A damaged one among them refers to nothing.</summary>
    public List<AssemblyReferenceInfo> References()
    {
        var found = new Dictionary<string, AssemblyReferenceInfo>(StringComparer.OrdinalIgnoreCase);
        var unread = new Queue<Module>([Entry!]);
        while (unread.TryDequeue(out var module))
        {
            foreach (var reference in module.Reader.AssemblyReferences.Select(module.Reader.GetAssemblyReference))
            {
                var name = MetadataNames.Of(module.Reader, reference.Name);
                if (!found.ContainsKey(name))
                {
                    var beside = FindSound(name);
                    found.Add(name, new AssemblyReferenceInfo(name, $"{reference.Version}", beside is not null));
                    if (beside is not null)
                    {
                        unread.Enqueue(beside);
                    }
                }
            }
        }

        return [.. found.Values.OrderBy(reference => reference.Name, StringComparer.OrdinalIgnoreCase)];
    }

    public void Dispose()
    {
        foreach (var module in _byName.Values)
        {
            module?.Dispose();
        }
    }
}

/// <summary>The metadata of one assembly.</summary>
internal sealed class Module : IDisposable
{
    private readonly PEReader _file;

    private Module(PEReader file, string path)
    {
        _file = file;
        Comments = new DocComments(path);
        Reader = file.GetMetadataReader();
    }

    public DocComments Comments { get; }

    public MetadataReader Reader { get; }

    public string? TargetFramework
    {
        get
        {
            foreach (var handle in Reader.GetAssemblyDefinition().GetCustomAttributes())
            {
                if (MetadataNames.OfAttribute(Reader, handle) == "System.Runtime.Versioning.TargetFrameworkAttribute")
                {
                    return MetadataNames.FirstString(Reader, handle);
                }
            }

            return null;
        }
    }

    public static Module? Open(string path)
    {
        var file = new PEReader(PluginFiles.Open(path), PEStreamOptions.PrefetchMetadata);
        if (file.HasMetadata)
        {
            return new Module(file, path);
        }

        file.Dispose();
        return null;
    }

    /// <summary>Whether a file is a .NET assembly at all.</summary>
    public static bool IsManaged(string path)
    {
        try
        {
            using var file = new PEReader(PluginFiles.Open(path), PEStreamOptions.PrefetchMetadata);
            return file.HasMetadata;
        }
        catch (Exception exception) when (exception is BadImageFormatException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The identity of a build: the module version id; empty for what is no assembly.</summary>
    public static Guid MvidOf(string path)
    {
        try
        {
            using var module = Open(path);
            return module?.Mvid ?? Guid.Empty;
        }
        catch (Exception exception) when (exception is BadImageFormatException or IOException or UnauthorizedAccessException)
        {
            return Guid.Empty;
        }
    }

    public Guid Mvid => Reader.GetGuid(Reader.GetModuleDefinition().Mvid);

    public void Dispose() => _file.Dispose();
}
