namespace ProcessPool.Workers;

/// <summary>What happened to a plugin in the sandbox, and the remedy.</summary>
internal static class PluginLoadMessage
{
    public static string For(string entryAssembly, PluginError error)
    {
        var plugin = Path.GetFileNameWithoutExtension(entryAssembly);
        return error.Type switch
        {
            "System.IO.FileNotFoundException" or "System.IO.FileLoadException" =>
                $"{plugin} cannot be loaded: {error.Message} Put the missing assembly into {Path.GetDirectoryName(entryAssembly)}; building the plugin with EnableDynamicLoading does that.",
            "System.BadImageFormatException" =>
                $"{plugin} cannot be loaded: {error.Message} The file is damaged, or not a .NET assembly for this platform.",
            "System.InvalidOperationException" => $"{plugin} cannot be loaded: {error.Message}",
            _ => $"{plugin} cannot be loaded: its code threw {error.Type}: {error.Message}",
        };
    }
}
