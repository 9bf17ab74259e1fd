using System.Text.Json.Nodes;

namespace ProcessPool.Plugins;

/// <summary>A shared framework and the lowest version that will do.</summary>
internal sealed record FrameworkNeed(string Name, Version Version)
{
    public const string Core = "Microsoft.NETCore.App";

    /// <summary>One of each framework: the highest.</summary>
    public static IEnumerable<FrameworkNeed> Highest(IEnumerable<FrameworkNeed> needs) => needs.GroupBy(need => need.Name, StringComparer.OrdinalIgnoreCase).Select(group => group.MaxBy(need => need.Version)!);

    public override string ToString() => $"{Name} {Version}";
}

/// <summary>What a plugin needs of the runtime: from its <c>.runtimeconfig.json</c>, and the framework it was built for.</summary>
internal sealed record RuntimeNeeds(IReadOnlyList<FrameworkNeed> Frameworks, JsonObject Properties)
{
    /// <exception cref="PluginLoadException">The file is damaged, or sets what is not the plugin's to set.</exception>
    public static RuntimeNeeds Read(string entryAssembly, string? targetFramework)
    {
        var frameworks = new List<FrameworkNeed>();
        if (targetFramework?.Split(",Version=v") is [".NETCoreApp", var built] && Version.TryParse(built, out var version))
        {
            frameworks.Add(new FrameworkNeed(FrameworkNeed.Core, version));
        }

        var path = Path.ChangeExtension(entryAssembly, ".runtimeconfig.json");
        if (!File.Exists(path))
        {
            return new RuntimeNeeds([.. FrameworkNeed.Highest(frameworks)], []);
        }

        return PluginFiles.ReadJson(path, config =>
        {
            var options = config?["runtimeOptions"];
            IEnumerable<JsonNode?> named = [options?["framework"], .. options?["frameworks"]?.AsArray() ?? [], .. options?["includedFrameworks"]?.AsArray() ?? []];
            foreach (var framework in named.OfType<JsonNode>())
            {
                frameworks.Add(new FrameworkNeed(FrameworkName((string)framework["name"]!), ParseVersion((string)framework["version"]!)));
            }

            var properties = options?["configProperties"]?.DeepClone().AsObject() ?? [];
            if (properties.Any(property => property.Value is not (null or JsonValue)))
            {
                throw new FormatException("configProperties must have plain values");
            }

            return properties.Select(property => property.Key).FirstOrDefault(IsOfTheRuntime) is { } reserved
                ? throw PluginInfo.Unusable(path, $"it sets {reserved}, which is the runtime's own: it would decide what runs before the sandbox does")
                : new RuntimeNeeds([.. FrameworkNeed.Highest(frameworks)], properties);
        });
    }

    // It is a part of a path, in which code is looked for.
    private static string FrameworkName(string name) =>
        name.Length > 0 && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_') && !name.Contains("..", StringComparison.Ordinal)
            ? name : throw new FormatException($"'{name}' is no name of a shared framework");

    // STARTUP_HOOKS, TRUSTED_PLATFORM_ASSEMBLIES, APP_PATHS and their like; switches of libraries have names with dots.
    // System.GC.Path and System.GC.Name load native code. The runtime does not mind case.
    private static bool IsOfTheRuntime(string property) =>
        property.All(character => char.IsAsciiLetterUpper(character) || character == '_')
        || property.StartsWith("System.GC.", StringComparison.OrdinalIgnoreCase) && property["System.GC.".Length..].ToUpperInvariant() is "PATH" or "NAME";

    /// <summary>A version without what follows its numbers: "11.0.0-preview.3" is 11.0.0.</summary>
    public static Version ParseVersion(string text) => Version.Parse(text.Split('-', '+')[0]);
}
