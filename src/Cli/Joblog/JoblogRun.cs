using System.Text.Json;
using System.Text.Json.Serialization;

namespace ProcessPool.Cli.Joblog;

/// <summary>What a run calls: the line that begins its part of the joblog.</summary>
/// <param name="Plugin">The plugin's name.</param>
/// <param name="Digest">Its content's.</param>
/// <param name="EntryPoint">The entry point's name.</param>
/// <param name="Raw">Whether lines are strings.</param>
/// <param name="Output">The path of the output; "-" when it is a stream, which cannot be read again.</param>
internal sealed partial record JoblogRun(string Plugin, string Digest, string EntryPoint, bool Raw, string Output)
{
    /// <summary>What the line begins with; the number is the format's.</summary>
    public const string Mark = "# processpool joblog 1 ";

    /// <summary>The line, without its end.</summary>
    public string ToLine() => Mark + JsonSerializer.Serialize(this, RunJson.Default.JoblogRun);

    /// <summary>Reads such a line; null when it is none.</summary>
    public static JoblogRun? TryRead(string line)
    {
        try
        {
            return line.StartsWith(Mark, StringComparison.Ordinal) && JsonSerializer.Deserialize(line[Mark.Length..], RunJson.Default.JoblogRun) is { Plugin: not null, Digest: not null, EntryPoint: not null, Output: not null } run ? run : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Refuses to go on with what another call left.</summary>
    /// <param name="earlier">What was called.</param>
    /// <param name="path">The joblog's path.</param>
    /// <param name="allowChangedPlugin">Whether the plugin's content may be another.</param>
    /// <exception cref="UsageException">It is not the same.</exception>
    public void RequireSame(JoblogRun earlier, string path, bool allowChangedPlugin)
    {
        if (earlier.EntryPoint != EntryPoint || earlier.Plugin != Plugin)
        {
            throw new UsageException($"'{path}' is of {earlier.Plugin} {earlier.EntryPoint}, not of {Plugin} {EntryPoint}. Give the joblog of this work, or a new file.");
        }

        if (earlier.Raw != Raw)
        {
            throw new UsageException($"'{path}' is of a run {(earlier.Raw ? "with" : "without")} --raw: say the same, or give a new file.");
        }

        if (earlier.Output != Output)
        {
            throw new UsageException($"'{path}' is of a run into {(earlier.Output == "-" ? "standard output" : $"'{earlier.Output}'")}: write there, or give a new joblog.");
        }

        if (earlier.Digest != Digest && !allowChangedPlugin)
        {
            throw new UsageException(
                $"{Plugin} has changed since '{path}' was written: it was {earlier.Digest}, and is {Digest}. What is done was done by the old one. Add --allow-changed-plugin to do the rest with the new one; or delete the joblog and the output, and do all anew.");
        }
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(JoblogRun))]
    private sealed partial class RunJson : JsonSerializerContext;
}
