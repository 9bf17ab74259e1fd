using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using ProcessPool.Protocol;

namespace ProcessPool.Sandbox.Loading;

/// <summary>Walks from the entry assembly over everything that the plugin's own assemblies refer to, and says where each comes from.</summary>
internal sealed class LoadReporter(LoadPolicy policy, string entryAssembly)
{
    private readonly Dictionary<string, LoadReportLine> _lines = new(StringComparer.OrdinalIgnoreCase);
    private readonly Queue<string> _unread = new();

    /// <summary>What there is now; null when the plugin's folder cannot be read any more.</summary>
    /// <param name="context">The plugin's; null before there is one.</param>
    public LoadReportMessage? Report(AssemblyLoadContext? context)
    {
        try
        {
            // A walk of its own: several may be asked for at once.
            return new LoadReporter(policy, entryAssembly).Walk(context);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private LoadReportMessage Walk(AssemblyLoadContext? context)
    {
        Add(Path.GetFileNameWithoutExtension(entryAssembly), "", "", native: false);
        while (_unread.TryDequeue(out var path))
        {
            Read(path);
        }

        AddUnused();
        var loaded = context is null ? [] : LoadedFiles(context);
        var size = 0;
        return new LoadReportMessage([.. _lines.Values.Select(line => Seen(line, loaded)).TakeWhile(line => (size += line.Size) <= WireLimits.MaxLoadReportCharacters).Take(WireLimits.MaxLoadReportLines)]);
    }

    // What nothing refers to may still be loaded, by its name or its path.
    private static LoadReportLine Seen(LoadReportLine line, HashSet<string> loaded)
    {
        var isLoaded = loaded.Contains(line.Path);
        return isLoaded && line.Source == (int)LoadKind.Unused
            ? line with { Source = (int)(LoadPolicy.IsManaged(line.Path) ? LoadKind.Private : LoadKind.Native), Name = Path.GetFileNameWithoutExtension(line.Path), Why = "it was loaded by name", IsLoaded = true }
            : line with { IsLoaded = isLoaded };
    }

    /// <summary>What an exception says about a file that is missing, with the places where it was looked for; null when it says nothing of that.</summary>
    public string? Explain(Exception exception)
    {
        try
        {
            return Causes(exception).Select(Explanation).FirstOrDefault(explanation => explanation is not null);
        }
        catch (Exception)
        {
            // The plugin's exceptions may say and throw anything; its own error is what counts.
            return null;
        }
    }

    private static IEnumerable<Exception> Causes(Exception? exception)
    {
        for (var depth = 0; exception is not null && depth < WireLimits.MaxInnerErrors; depth++)
        {
            yield return exception;
            exception = exception is ReflectionTypeLoadException { LoaderExceptions: [{ } first, ..] } ? first : exception.InnerException;
        }
    }

    private string? Explanation(Exception exception)
    {
        if (exception is FileNotFoundException { FileName: { } file } && file.IndexOf(", Version=", StringComparison.Ordinal) is > 0 and var end)
        {
            return policy.Decide(file[..end]) is { Kind: LoadKind.Missing } missing ? $"{file} is not there: {missing.Why}." : null;
        }

        // Only its message has the name: Unable to load shared library 'name' or one of its dependencies.
        if (exception is DllNotFoundException && exception.Message.Split('\'') is [_, var library, ..])
        {
            var decision = policy.DecideNative(library);
            return decision.Kind == LoadKind.Native
                ? $"{library} is there ({decision.Path}), but something that it needs is not, or it is for another processor."
                : $"{library} is not there: {decision.Why}.";
        }

        return null;
    }

    private void Read(string path)
    {
        try
        {
            using var file = new PEReader(File.OpenRead(path));
            if (!file.HasMetadata)
            {
                return;
            }

            var reader = file.GetMetadataReader();
            var self = Path.GetFileNameWithoutExtension(path);
            foreach (var reference in reader.AssemblyReferences.Select(reader.GetAssemblyReference))
            {
                Add(reader.GetString(reference.Name), $"{reference.Version}", self, native: false);
            }

            for (var row = 1; row <= reader.GetTableRowCount(TableIndex.ModuleRef); row++)
            {
                Add(reader.GetString(reader.GetModuleReference(MetadataTokens.ModuleReferenceHandle(row)).Name), "", self, native: true);
            }
        }
        catch (Exception exception) when (exception is BadImageFormatException or IOException)
        {
            // It stays in the report, without what it refers to.
        }
    }

    private void Add(string name, string wanted, string requestedBy, bool native)
    {
        if (name.Length == 0 || !native && _lines.ContainsKey(name) || native && _lines.ContainsKey("native " + name) || _lines.Count >= WireLimits.MaxLoadReportLines)
        {
            return;
        }

        var decision = native ? policy.DecideNative(name) : policy.Decide(name);
        _lines.Add(native ? "native " + name : name, new LoadReportLine(
            (int)decision.Kind, name, decision.Version?.ToString() ?? "", wanted, decision.Path, requestedBy.Length == 0 ? "it is the plugin" : decision.Why, requestedBy, false));
        if (decision.Kind == LoadKind.Private)
        {
            _unread.Enqueue(decision.Path);
        }
    }

    private void AddUnused()
    {
        var directory = Path.GetDirectoryName(entryAssembly)!;
        var known = _lines.Values.Select(line => line.Path).ToHashSet(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Where(path => Path.GetExtension(path) is ".dll" or ".so" or ".dylib" && !known.Contains(path)).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(directory, path);
            var stem = Path.GetFileNameWithoutExtension(path);
            var why = name.StartsWith("runtimes", StringComparison.Ordinal) ? "it is for another platform, or nothing refers to it"
                : _lines.TryGetValue(stem, out var line) && line.Path != path ? $"{(LoadKind)line.Source} wins: {line.Why}"
                : stem.EndsWith(".resources", StringComparison.Ordinal) ? "it has the texts of another language, loaded when they are asked for"
                : "nothing refers to it; it may be loaded by name";
            _lines.TryAdd(name, new LoadReportLine((int)LoadKind.Unused, name, "", "", path, why, "", false));
        }
    }

    private static HashSet<string> LoadedFiles(AssemblyLoadContext context)
    {
        var files = AssemblyLoadContext.All.Where(each => each == context || each == AssemblyLoadContext.Default || each == AssemblyLoadContext.GetLoadContext(typeof(LoadReporter).Assembly))
            .SelectMany(each => each.Assemblies).Where(assembly => !assembly.IsDynamic).Select(assembly => assembly.Location).ToHashSet(StringComparer.Ordinal);
        if (OperatingSystem.IsLinux())
        {
            // Native libraries: what is mapped. The sixth column is the file.
            files.UnionWith(File.ReadLines("/proc/self/maps").Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries)).Where(columns => columns.Length == 6).Select(columns => columns[5]));
        }

        return files;
    }
}
