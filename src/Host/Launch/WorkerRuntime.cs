using System.Text.Json.Nodes;
using ProcessPool.Plugins;

namespace ProcessPool.Launch;

/// <summary>Matches what a plugin needs of the runtime with what is installed, and makes the runtimeconfig of its workers.</summary>
internal sealed class WorkerRuntime
{
    private readonly string? _merged;

    private WorkerRuntime(string? merged) => _merged = merged;

    /// <summary>That of the sandbox alone.</summary>
    public static WorkerRuntime OfSandbox { get; } = new(null);

    /// <exception cref="PluginLoadException">The plugin cannot run here; the message says what to install. No process was started.</exception>
    /// <exception cref="WorkerStartException">There is no <c>dotnet</c> or no sandbox program.</exception>
    public static WorkerRuntime For(PluginInfo plugin, bool debug, FaultSite site)
    {
        if (plugin.TargetFramework?.StartsWith(".NETFramework,", StringComparison.Ordinal) == true)
        {
            throw Refused(plugin, $"it was built for .NET Framework ({plugin.TargetFramework}), which is another platform. Build it for net8.0 or later");
        }

        var program = SandboxProgram.Find(site);
        var needs = plugin.Needs;
        if (program.IsThisProgram)
        {
            RefuseWhatThisProgramHasNot(plugin, needs);
            return OfSandbox;
        }

        var installed = new InstalledFrameworks(program.Path);
        var all = FrameworkNeed.Highest(needs.Frameworks.Concat(plugin.UnresolvedReferences().Select(installed.With).OfType<FrameworkNeed>())).ToList();
        foreach (var need in all.Where(need => !installed.Has(need)))
        {
            throw Refused(plugin, Missing(need, installed));
        }

        var further = all.Where(need => need.Name != FrameworkNeed.Core).ToList();
        if (debug)
        {
            foreach (var need in further.Where(need => !IsInThisProcess(need)))
            {
                throw Refused(plugin, $"it needs {need}, which can only be added to a process of its own. Switch debug mode off, or let this program reference {need.Name} itself");
            }

            return new WorkerRuntime(null);
        }

        return further.Count == 0 && needs.Properties.Count == 0
            ? new WorkerRuntime(null)
            : new WorkerRuntime(Merge(program.Sandbox, all, needs.Properties));
    }

    /// <summary>What comes between <c>dotnet</c> and the sandbox's own arguments.</summary>
    /// <param name="sandbox">The sandbox program.</param>
    /// <param name="options">Where a merged runtimeconfig goes: no plugin may write there, because a sandbox reads it before it is confined.</param>
    public string[] CommandLine(string sandbox, string options)
    {
        if (_merged is null)
        {
            return ["exec", sandbox];
        }

        File.WriteAllText(options, _merged);
        if (!OperatingSystem.IsWindows())
        {
            // The sandbox may be another user.
            File.SetUnixFileMode(options, (UnixFileMode)0b110_100_100);
        }

        return ["exec", "--runtimeconfig", options, "--depsfile", Path.ChangeExtension(sandbox, ".deps.json"), sandbox];
    }

    /// <summary>The sandbox's frameworks and options win; the plugin's are added.</summary>
    private static string Merge(string sandbox, IEnumerable<FrameworkNeed> needs, JsonObject properties)
    {
        var config = JsonNode.Parse(File.ReadAllText(Path.ChangeExtension(sandbox, ".runtimeconfig.json")))!.AsObject();
        var options = config["runtimeOptions"]!.AsObject();
        var own = options["framework"]!.AsObject();
        options.Remove("framework");
        var ownNeed = new FrameworkNeed((string)own["name"]!, RuntimeNeeds.ParseVersion((string)own["version"]!));
        options["frameworks"] = new JsonArray([.. FrameworkNeed.Highest(needs.Prepend(ownNeed))
            .Select(need => new JsonObject { ["name"] = need.Name, ["version"] = $"{need.Version.Major}.{need.Version.Minor}.{Math.Max(0, need.Version.Build)}" })]);
        var merged = options["configProperties"]!.AsObject();
        foreach (var (name, value) in properties)
        {
            merged.TryAdd(name, value?.DeepClone());
        }

        return config.ToJsonString();
    }

    // Its runtime is the one that it was published with, and its options are its own.
    private static void RefuseWhatThisProgramHasNot(PluginInfo plugin, RuntimeNeeds needs)
    {
        foreach (var need in needs.Frameworks.Where(need => need.Name != FrameworkNeed.Core || need.Version > Environment.Version))
        {
            throw Refused(plugin, $"it needs {need}, no .NET is installed, and this self-contained program, which runs as its own sandbox, has .NET {Environment.Version} alone. Install {need.Name} {need.Version.Major}.{need.Version.Minor}");
        }
    }

    private static string Missing(FrameworkNeed need, InstalledFrameworks installed)
    {
        var versions = installed.VersionsOf(need.Name);
        var have = versions.Count == 0 ? $"there is none in {installed.Location}" : $"{installed.Location} has {string.Join(", ", versions)}";
        return need.Name == FrameworkNeed.Core
            ? $"it needs .NET {need.Version.Major}.{need.Version.Minor}, and {have}. Install that runtime, or build the plugin for an older one"
            : $"it needs the shared framework {need}, and {have}. Install it";
    }

    private static bool IsInThisProcess(FrameworkNeed need) =>
        ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "").Contains($"{Path.DirectorySeparatorChar}{need.Name}{Path.DirectorySeparatorChar}", StringComparison.Ordinal);

    private static PluginLoadException Refused(PluginInfo plugin, string why) =>
        new(LoadStage.Resolve, plugin.EntryAssembly, $"{plugin.Name} cannot run here: {why}.");
}
