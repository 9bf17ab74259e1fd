namespace ProcessPool;

/// <summary>How far a plugin got.</summary>
public enum LoadStage
{
    /// <summary>Finding the entry assembly and reading what it offers. Happens in the host, before any process starts.</summary>
    Resolve,

    /// <summary>Comparing the plugin's contract with the host's. Happens in the host.</summary>
    Contract,

    /// <summary>Loading assemblies in the sandbox.</summary>
    Load,

    /// <summary>Binding entry points and constructing contract classes in the sandbox: the first plugin code that runs.</summary>
    Activate,
}

/// <summary>The plugin cannot be loaded: the pool cannot start with it. The message names the thing and the remedy.</summary>
public sealed class PluginLoadException : SandboxPoolException
{
    internal PluginLoadException(LoadStage stage, string plugin, string message, FaultSite? site = null, PluginError? error = null, Exception? inner = null, LoadReport? loadReport = null)
        : base(message, site ?? new FaultSite(Pool: null), inner)
    {
        Stage = stage;
        Plugin = plugin;
        Error = error;
        LoadReport = loadReport;
    }

    /// <summary>Where it failed.</summary>
    public LoadStage Stage { get; }

    /// <summary>The path of the folder or the assembly.</summary>
    public string Plugin { get; }

    /// <summary>What was thrown in the sandbox, if it got that far.</summary>
    public PluginError? Error { get; }

    /// <summary>What the plugin's assemblies and native libraries are and where they were looked for, if it failed in the sandbox.</summary>
    public LoadReport? LoadReport { get; }
}
