using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>What does not work in a plugin, though it compiles.</summary>
internal static class PluginDescriptors
{
    /// <summary>{0} is the member that is used, {1} what comes of it and what to do.</summary>
    public static readonly DiagnosticDescriptor NotInSandbox = new(
        "PP011", "A plugin does not own its process", "{0} in a plugin: {1}", "Plugins", DiagnosticSeverity.Warning, isEnabledByDefault: true);

    /// <summary>{0} is the method or class, {1} what is wrong with it, {2} what to write instead. The same rules hold when the plugin is read.</summary>
    public static readonly DiagnosticDescriptor NotCallable = new(
        "PP012", "An entry point can be called from outside", "{0} has [EntryPoint], but {1}, so the whole plugin is refused: {2}", "Plugins", DiagnosticSeverity.Error, isEnabledByDefault: true);

    public static readonly ImmutableArray<DiagnosticDescriptor> All = ImmutableArray.Create(NotInSandbox, NotCallable);
}
