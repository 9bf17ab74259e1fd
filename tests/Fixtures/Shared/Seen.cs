using System.Reflection;
using System.Runtime.Loader;
using System.Text.Json.Serialization;
using ProcessPool;

/// <summary>Serialized under another name, if the attribute is the one that its System.Text.Json knows.</summary>
public sealed class Item
{
    [JsonPropertyName("id")]
    public int Number { get; set; }
}

/// <summary>What a plugin sees, from within.</summary>
public static class Seen
{
    /// <summary>Takes and gives an item.</summary>
    [EntryPoint]
    public static Item Next(Item item) => new() { Number = item.Number + 1 };

    /// <summary>The version of an assembly that the plugin sees, or "missing".</summary>
    [EntryPoint]
    public static string Version(string assembly)
    {
        try
        {
            return $"{Own.LoadFromAssemblyName(new AssemblyName(assembly)).GetName().Version}";
        }
        catch (FileNotFoundException)
        {
            return "missing";
        }
    }

    /// <summary>Whether the plugin's copy is one of its own.</summary>
    [EntryPoint]
    public static bool IsPrivate(string assembly) => AssemblyLoadContext.GetLoadContext(Own.LoadFromAssemblyName(new AssemblyName(assembly))) == Own;

    private static AssemblyLoadContext Own => AssemblyLoadContext.GetLoadContext(typeof(Seen).Assembly)!;
}
