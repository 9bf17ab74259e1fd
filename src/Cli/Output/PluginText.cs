using ProcessPool.Diagnostics;

namespace ProcessPool.Cli.Output;

/// <summary>Plugins as text for people.</summary>
internal static class PluginText
{
    /// <summary>A line as it may go to a terminal: names in metadata can be anything.</summary>
    public static string Clean(string line) => WireText.Clean(line).Replace('\n', ' ').Replace('\t', ' ');

    public static IEnumerable<string> EntryPoints(PluginInfo plugin)
    {
        foreach (var entryPoint in plugin.EntryPoints)
        {
            yield return $"  {entryPoint}{(entryPoint.IsIdempotent ? "  [Idempotent]" : "")}";
            if (entryPoint.Summary is { } summary)
            {
                yield return $"      {summary}";
            }
        }
    }

    public static IEnumerable<string> All(PluginInfo plugin)
    {
        yield return $"{plugin.Name} {plugin.Version}";
        yield return $"  entry assembly  {plugin.EntryAssembly}";
        yield return $"  content         {plugin.ComputeDigest()}";
        yield return $"  build           {plugin.Mvid}";
        yield return $"  built for       {plugin.TargetFramework ?? "(it does not say)"}";
        yield return $"  needs           {string.Join(", ", plugin.Frameworks)}";
        yield return $"  contracts       {(plugin.Contracts.Count > 0 ? string.Join(", ", plugin.Contracts) : "none")}";
        yield return "";
        yield return "entry points";
        foreach (var line in EntryPoints(plugin))
        {
            yield return line;
        }

        yield return "";
        yield return "references";
        foreach (var reference in plugin.References)
        {
            yield return $"  {reference.Name} {reference.Version}{(reference.IsShipped ? " (shipped)" : "")}";
        }

        if (plugin.NativeLibraries.Count > 0)
        {
            yield return "";
            yield return "native libraries";
            foreach (var library in plugin.NativeLibraries)
            {
                yield return $"  {library.Path}{(library.RuntimeIdentifier is { } rid ? $" ({rid})" : "")}";
            }
        }
    }
}
