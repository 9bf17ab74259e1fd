using System.Text;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;

namespace ProcessPool;

/// <summary>Where a file that a plugin needs comes from.</summary>
public enum LoadSource
{
    /// <summary>The plugin's own assembly, in its load context alone.</summary>
    Private,

    /// <summary>The shared framework's assembly.</summary>
    Framework,

    /// <summary>The sandbox's: ProcessPool.Abstractions only.</summary>
    Shared,

    /// <summary>A native library of the plugin's.</summary>
    Native,

    /// <summary>A native library that the plugin does not have: the operating system looks for it, and may not find it either.</summary>
    System,

    /// <summary>It is nowhere: using it fails.</summary>
    Missing,

    /// <summary>A file in the plugin's folder that nothing refers to, or that another one wins against.</summary>
    Unused,
}

/// <summary>One assembly or native library.</summary>
/// <param name="Source">Where it comes from.</param>
/// <param name="Name">Its name; for <see cref="LoadSource.Unused"/> the path within the plugin's folder.</param>
/// <param name="Version">The version that is used, or null.</param>
/// <param name="Wanted">The version that is referred to, or null.</param>
/// <param name="Path">The file that is used, or null.</param>
/// <param name="Why">The rule that decided; for what is missing, the places where it was looked for.</param>
/// <param name="RequestedBy">Who refers to it first, or null.</param>
/// <param name="IsLoaded">Whether it was loaded when the report was made. Most are loaded when they are needed first.</param>
public sealed record LoadReportEntry(LoadSource Source, string Name, string? Version, string? Wanted, string? Path, string Why, string? RequestedBy, bool IsLoaded);

/// <summary>What a plugin is made of in a worker: each assembly and native library, from where, and why. What a worker says of itself: not to be trusted.</summary>
public sealed class LoadReport
{
    private LoadReport(IReadOnlyList<LoadReportEntry> entries) => Entries = entries;

    /// <summary>All of them, the plugin's own first.</summary>
    public IReadOnlyList<LoadReportEntry> Entries { get; }

    /// <summary>A line for each.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var entry in Entries)
        {
            var wanted = entry.Wanted is null || entry.Wanted == entry.Version ? "" : $" (wanted {entry.Wanted}{(entry.RequestedBy is { } by ? $" by {by}" : "")})";
            text.Append($"{entry.Source,-9} {(entry.IsLoaded ? "loaded" : ""),-6} {entry.Name} {entry.Version}".TrimEnd()).Append(wanted)
                .Append(": ").Append(entry.Why).AppendLine(entry.Path is { } path ? $" [{path}]" : "");
        }

        return text.ToString().TrimEnd();
    }

    internal static LoadReport? From(LoadReportMessage? message)
    {
        if (message?.Lines is not { Length: > 0 and <= WireLimits.MaxLoadReportLines } lines)
        {
            return null;
        }

        return new LoadReport([.. lines.OfType<LoadReportLine>().Where(line => Enum.IsDefined((LoadSource)line.Source)).Select(line => new LoadReportEntry(
            (LoadSource)line.Source, WireText.Line(line.Name), OrNull(line.Version), OrNull(line.Wanted), OrNull(line.Path), WireText.Line(line.Why), OrNull(line.RequestedBy), line.IsLoaded)).OrderBy(entry => entry.Source)]);
    }

    private static string? OrNull(string? text) => string.IsNullOrEmpty(text) ? null : WireText.Line(text);
}
