using System.Collections.Immutable;

namespace ProcessPool;

/// <summary>Whether a layer holds.</summary>
public enum LayerState
{
    /// <summary>The policy does not ask for it.</summary>
    NotAsked,

    /// <summary>It holds, and was tried or looked at in the process itself.</summary>
    Enforced,

    /// <summary>It holds with a gap; the reason says which.</summary>
    Partial,

    /// <summary>It does not hold; the reason says why, and what would help.</summary>
    Unavailable,
}

/// <summary>One layer of one worker.</summary>
/// <param name="Layer">Which.</param>
/// <param name="State">Whether it holds.</param>
/// <param name="Mechanism">By what, such as "Landlock ABI 7"; or "".</param>
/// <param name="Reason">Why not, or what the gap is; or "".</param>
public sealed record LayerReport(ConfinementLayer Layer, LayerState State, string Mechanism = "", string Reason = "")
{
    /// <summary>A line.</summary>
    public override string ToString() => $"{Layer}: {State}{(Mechanism.Length > 0 ? $" by {Mechanism}" : "")}{(Reason.Length > 0 ? $" ({Reason})" : "")}";
}

/// <summary>What was achieved of a policy in one worker, before its plugin was loaded. Immutable.</summary>
/// <param name="Policy">What was asked for.</param>
/// <param name="Layers">Each layer.</param>
/// <param name="IsProven">Whether the process has tried what must fail, on its main thread, a new one, a pool thread and a finalizer, and this process has looked at it from outside. Only from <see cref="ConfinementLevel.Restricted"/> up.</param>
public sealed record ConfinementReport(ConfinementPolicy Policy, ImmutableArray<LayerReport> Layers, bool IsProven)
{
    /// <summary>Whether every layer that the policy asks for holds.</summary>
    public bool IsComplete => Layers.All(layer => layer.State is LayerState.NotAsked or LayerState.Enforced);

    /// <summary>The layer.</summary>
    public LayerReport this[ConfinementLayer layer] => Layers.FirstOrDefault(each => each.Layer == layer) ?? new LayerReport(layer, LayerState.NotAsked);

    /// <summary>All layers that were asked for, one a line.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Layers.Where(layer => layer.State != LayerState.NotAsked));
}
