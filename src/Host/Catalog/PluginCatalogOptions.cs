using Microsoft.Extensions.Logging;
using ProcessPool.Catalog;

namespace ProcessPool;

/// <summary>How a <see cref="PluginCatalog"/> is set up. Copied when the catalog is created.</summary>
public sealed class PluginCatalogOptions
{
    /// <summary>
    /// The drop folder: each folder in it is a plugin with what it ships, each DLL with an entry point a plugin too, together with the DLLs beside it that it refers to. Names that begin
    /// with a dot are left alone. It is never locked and never written to. Required; it must exist.
    /// </summary>
    public string Directory { get; set; } = "";

    /// <summary>Sets up the pool of one plugin, given its name: workers, timeouts, environment, exposed services. <see cref="SandboxPoolOptions.Plugin"/> is the catalog's. Default: one worker, all else as <see cref="SandboxPoolOptions"/> has it.</summary>
    public Action<string, SandboxPoolOptions>? ConfigurePool { get; set; }

    /// <summary>
    /// The only contents that are taken: digests such as <c>sha256:9f86…</c>, as <see cref="CatalogPlugin.Digest"/> and <c>processpool inspect</c> show them. Default: null, any.
    /// </summary>
    public ICollection<string>? Trust { get; set; }

    /// <summary>Where plugins are copied to before they run. Default: <c>processpool/snapshots</c> in this user's local application data, or in the temporary folder if there is none.</summary>
    public string? SnapshotDirectory { get; set; }

    /// <summary>How long a plugin's files must stay as they are before they are taken, and be gone before it is removed. Above zero and at most 1 h. Default: 500 ms.</summary>
    public TimeSpan SettleTime { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Whether the folder is watched. If not, only <see cref="PluginCatalog.RefreshAsync"/> looks at it. Default: true.</summary>
    public bool Watch { get; set; } = true;

    /// <summary>Receives what happens to plugins. Default: none.</summary>
    public ILogger? Logger { get; set; }

    /// <summary>The clock. Default: <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Looks for everything that is wrong with the options: what the constructor of <see cref="PluginCatalog"/> would refuse.</summary>
    /// <returns>A sentence for each fault; none when a catalog can be made.</returns>
    public IReadOnlyList<string> Validate() => CatalogSettings.FaultsOf(this);
}
