namespace ProcessPool;

/// <summary>A plugin of a catalog, at one moment.</summary>
/// <param name="Name">The name of its folder, or of its DLL.</param>
/// <param name="Plugin">The version that serves calls; null when none does.</param>
/// <param name="Digest">The digest of that version's content, <c>sha256:…</c>; null when there is none.</param>
/// <param name="PreviousDigest">The version that <see cref="PluginCatalog.RollbackAsync"/> would go back to; null when there is none.</param>
/// <param name="Error">Why what lies in the folder now is not served; null when it is.</param>
public sealed record CatalogPlugin(string Name, PluginInfo? Plugin, string? Digest, string? PreviousDigest, SandboxPoolException? Error);

/// <summary>What happened to a plugin.</summary>
public enum PluginChangeKind
{
    /// <summary>It is new, and serves calls.</summary>
    Added,

    /// <summary>Its new version serves calls; those on the old one are being finished.</summary>
    Updated,

    /// <summary>It is gone from the folder; its calls are being finished.</summary>
    Removed,

    /// <summary>What lies in the folder cannot be served. A version that served before goes on serving.</summary>
    Broken,

    /// <summary>The version before serves calls again.</summary>
    RolledBack,
}

/// <summary>A change of a catalog.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Plugin">The plugin after it; for <see cref="PluginChangeKind.Removed"/> with nothing that serves.</param>
public sealed record PluginChange(PluginChangeKind Kind, CatalogPlugin Plugin);
