using ProcessPool.Plugins;

namespace ProcessPool.Launch;

/// <summary>The shared frameworks beside a <c>dotnet</c> program: <c>shared/&lt;name&gt;/&lt;version&gt;/</c>.</summary>
internal sealed class InstalledFrameworks(string dotnet)
{
    private readonly string _shared = Path.Combine(Path.GetDirectoryName(ResolveLink(dotnet))!, "shared");

    /// <summary>Where they are.</summary>
    public string Location => _shared;

    /// <summary>The versions of one, the newest first.</summary>
    public IReadOnlyList<string> VersionsOf(string name)
    {
        // The name comes from the plugin: it must not lead anywhere else.
        var directory = Path.Combine(_shared, Path.GetFileName(name));
        return Directory.Exists(directory)
            ? [.. Directory.GetDirectories(directory).Select(path => Path.GetFileName(path)!).Where(IsVersion).OrderByDescending(RuntimeNeeds.ParseVersion)]
            : [];
    }

    /// <summary>Whether there is one that will do. Newer ones do, whatever their major version.</summary>
    public bool Has(FrameworkNeed need) => VersionsOf(need.Name).Any(version => RuntimeNeeds.ParseVersion(version) >= need.Version);

    /// <summary>Which framework, besides the core one, has an assembly of this name; or null.</summary>
    public FrameworkNeed? With(string assembly) => !Directory.Exists(_shared) ? null : Directory.GetDirectories(_shared)
        .Select(path => Path.GetFileName(path)!)
        .Where(name => name != FrameworkNeed.Core)
        .Order(StringComparer.Ordinal)
        .Select(name => (Name: name, Version: VersionsOf(name).FirstOrDefault(version => File.Exists(Path.Combine(_shared, name, version, assembly + ".dll")))))
        .Where(found => found.Version is not null)
        .Select(found => new FrameworkNeed(found.Name, new Version(RuntimeNeeds.ParseVersion(found.Version!).Major, 0)))
        .FirstOrDefault();

    private static bool IsVersion(string text)
    {
        try
        {
            RuntimeNeeds.ParseVersion(text);
            return true;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or OverflowException)
        {
            return false;
        }
    }

    private static string ResolveLink(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
}
