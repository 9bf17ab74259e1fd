namespace ProcessPool;

/// <summary>What the pool's <see cref="ConfinementPolicy"/> requires cannot be enforced here. The plugin was not loaded. The message names what is missing, and the remedy.</summary>
public sealed class ConfinementException : SandboxPoolException
{
    internal ConfinementException(string message, ConfinementReport? report, FaultSite site)
        : base(message, site) => Report = report;

    /// <summary>Each layer, and whether it holds; null when it did not come to that.</summary>
    public ConfinementReport? Report { get; }

    internal static ConfinementException? If(ConfinementReport report, FaultSite site)
    {
        var missing = report.Layers.Where(layer => layer.State == LayerState.Unavailable && report.Policy.IsRequired(layer.Layer)).ToList();
        return missing.Count == 0 ? null : new ConfinementException(
            $"The plugin is not loaded: {report.Policy.Level} requires {string.Join("; ", missing.Select(layer => $"{layer.Layer}, but {layer.Reason}"))}. "
            + "'processpool doctor' shows what this machine can enforce; Weakening.BestEffort(layer) loads the plugin all the same.",
            report,
            site);
    }
}
