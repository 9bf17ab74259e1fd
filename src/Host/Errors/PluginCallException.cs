namespace ProcessPool;

/// <summary>The plugin's code threw. The worker is unharmed, and so is the pool: look at the plugin or its input.</summary>
public sealed class PluginCallException : SandboxPoolException
{
    internal PluginCallException(PluginError error, FaultSite site)
        : base($"{site.EntryPoint} threw {error.Type}: {error.Message}", site) => Error = error;

    /// <summary>What the plugin threw, with its inner exceptions.</summary>
    public PluginError Error { get; }

    /// <summary>This exception, followed by the plugin's own stack trace.</summary>
    public override string ToString() => $"{base.ToString()}{Environment.NewLine}--- in the plugin ---{Environment.NewLine}{Error}";
}
