using System.Text.Json.Nodes;

namespace CSharpScript;

/// <summary>What a script sees without a qualifier.</summary>
/// <param name="globals">JSON of the caller.</param>
/// <param name="cancellation">Cancelled when the caller no longer wants the result.</param>
public sealed class ScriptScope(JsonNode? globals, CancellationToken cancellation)
{
    /// <summary>JSON of the caller, or null.</summary>
    public JsonNode? Globals { get; } = globals;

    /// <summary>Cancelled when the caller no longer wants the result.</summary>
    public CancellationToken Cancellation { get; } = cancellation;
}
