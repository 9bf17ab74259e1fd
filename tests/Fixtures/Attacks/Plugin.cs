using ProcessPool;

namespace Attacks;

/// <summary>Attacks by name. Nothing here does harm: signals that are ignored, files and processes of the test.</summary>
public static class Plugin
{
    [EntryPoint]
    public static Dictionary<string, string> Run(Target target, IPluginContext context) => All(context.ScratchDirectory).ToDictionary(attack => attack.Name, attack => attack.Run(target));

    [EntryPoint]
    public static string Scratch(IPluginContext context) => context.ScratchDirectory;

    private static IEnumerable<(string Name, Func<Target, string> Run)> All(string scratch) => FileAttacks.All(scratch).Concat(NetworkAttacks.All()).Concat(ProcessAttacks.All());
}
