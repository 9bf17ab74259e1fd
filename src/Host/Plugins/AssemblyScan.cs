using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ProcessPool.Plugins;

/// <summary>What one assembly declares. Malformed files are reported, never trusted.</summary>
internal sealed record AssemblyScan(string Path, string? TargetFramework, IReadOnlyList<EntryPointInfo> EntryPoints)
{
    /// <exception cref="PluginLoadException">The file is not a .NET assembly, is damaged or cannot be read.</exception>
    public static AssemblyScan Read(string path)
    {
        try
        {
            using var modules = new ModuleSet(path);
            var entry = modules.Entry ?? throw PluginInfo.Unusable(path, "it is not a .NET assembly (a native library?)");
            return new AssemblyScan(path, entry.TargetFramework, new EntryPointReader(modules).Read(entry).ToList());
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
            var path = System.IO.Path.Combine(_directory, name + ".dll");
            _byName[name] = module = File.Exists(path) ? Module.Open(path) : null;
        }

        return module;
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

    private Module(PEReader file)
    {
        _file = file;
        Reader = file.GetMetadataReader();
    }

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
        var file = new PEReader(new MemoryStream(File.ReadAllBytes(path)));
        if (file.HasMetadata)
        {
            return new Module(file);
        }

        file.Dispose();
        return null;
    }

    public void Dispose() => _file.Dispose();
}
