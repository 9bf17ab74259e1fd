namespace ProcessPool.Cli.Output;

/// <summary>Plugins as what becomes JSON.</summary>
internal static class PluginJson
{
    /// <summary>A plugin that can be called.</summary>
    /// <param name="plugin">What its metadata says.</param>
    /// <param name="digest">Its content's.</param>
    /// <param name="load">What it is made of in a worker, if that was asked for.</param>
    public static object Of(PluginInfo plugin, string? digest, LoadReport? load = null) => new
    {
        plugin.Name,
        plugin.Version,
        plugin.EntryAssembly,
        Digest = digest,
        plugin.Mvid,
        plugin.TargetFramework,
        plugin.Frameworks,
        plugin.Contracts,
        EntryPoints = plugin.EntryPoints.Select(entryPoint => new { entryPoint.Name, entryPoint.Contract, entryPoint.Parameters, entryPoint.ReturnType, Signature = entryPoint.ToString(), entryPoint.IsIdempotent, entryPoint.Summary }),
        plugin.References,
        plugin.NativeLibraries,
        Load = load?.Entries,
    };

    /// <summary>A plugin that cannot.</summary>
    public static object Of(string name, Exception error) => new { Name = name, Error = error.Message };
}
