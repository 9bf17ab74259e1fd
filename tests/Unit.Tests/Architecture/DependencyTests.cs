using System.Reflection;
using System.Xml.Linq;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Architecture;

/// <summary>The arrows of docs/architecture.md.</summary>
public sealed class DependencyTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Abstractions"] = [],
        ["Confinement"] = [],
        ["Protocol"] = ["Abstractions", "Confinement"],
        ["Binder"] = [],
        ["Host"] = ["Abstractions", "Confinement", "Protocol", "Binder"],
        ["Sandbox"] = ["Abstractions", "Confinement", "Protocol"],
        ["Plugin"] = ["Abstractions"],
        ["Plugin.Sdk"] = ["Abstractions"],
        ["Cli"] = ["Host", "Confinement"],
        ["Hosting"] = ["Host", "Confinement"],
        ["Testing"] = ["Host", "Binder", "Confinement", "Protocol"],
        ["Generators"] = [],
    };

    [Fact]
    public void Projects_reference_only_what_the_architecture_allows()
    {
        var projects = Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories);
        Assert.Equal(Allowed.Keys.Order(), projects.Select(NameOf).Order());
        foreach (var project in projects)
        {
            var references = XDocument.Load(project).Descendants("ProjectReference")
                .Where(reference => (string?)reference.Attribute("ReferenceOutputAssembly") != "false")
                .Select(reference => NameOf((string)reference.Attribute("Include")!));
            Assert.All(references, reference => Assert.True(Allowed[NameOf(project)].Contains(reference), $"Expected {NameOf(project)} not to reference {reference}."));
        }
    }

    [Fact]
    public void Plugins_reference_only_abstractions_and_contracts()
    {
        foreach (var project in Directory.GetFiles(Path.Combine(Repository.Root, "plugins"), "*.csproj", SearchOption.AllDirectories))
        {
            var references = XDocument.Load(project).Descendants("ProjectReference").Select(reference => NameOf((string)reference.Attribute("Include")!));
            Assert.All(references, reference => Assert.True(reference is "Abstractions" or "Plugin" || reference.EndsWith(".Contract", StringComparison.Ordinal), $"Expected {project} not to reference {reference}."));
        }
    }

    [Theory]
    [InlineData(typeof(EntryPointAttribute))]
    [InlineData(typeof(Binding.PluginBinder))]
    public void What_is_loaded_beside_a_plugin_needs_the_framework_only(Type type)
    {
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        Assert.All(type.Assembly.GetReferencedAssemblies(), reference =>
            Assert.True(File.Exists(Path.Combine(framework, reference.Name + ".dll")), $"Expected {type.Assembly.GetName().Name} not to need {reference.Name}."));
    }

    [Fact]
    public void No_type_of_the_rpc_library_is_public()
    {
        var types = typeof(SandboxPool).Assembly.GetExportedTypes();
        var mentioned = types.SelectMany(type => type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .SelectMany(member => member switch
            {
                MethodInfo method => method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType),
                ConstructorInfo constructor => constructor.GetParameters().Select(parameter => parameter.ParameterType),
                PropertyInfo property => [property.PropertyType],
                _ => [],
            })
            .Concat(types.Select(type => type.BaseType!)).Where(type => type is not null);
        Assert.All(mentioned, type => Assert.False(
            type.Namespace?.StartsWith("StreamJsonRpc", StringComparison.Ordinal) == true || type.Namespace?.StartsWith("ProcessPool.Protocol", StringComparison.Ordinal) == true,
            $"Expected {type} not to be in a public signature."));
    }

    [Fact]
    public void Only_the_process_sandbox_knows_processes()
    {
        var users = Directory.GetFiles(Path.Combine(Repository.Root, "src", "Host"), "*.cs", SearchOption.AllDirectories)
            .Where(file => File.ReadAllText(file) is var text && text.Contains("System.Diagnostics;", StringComparison.Ordinal) && (text.Contains("Process.", StringComparison.Ordinal) || text.Contains("Stopwatch", StringComparison.Ordinal))).Select(Path.GetFileName);
        Assert.Equal(["ProcessSandbox.cs"], users);
    }

    private static string NameOf(string project) =>
        Path.GetFileNameWithoutExtension(project.Replace('\\', '/')).Replace("ProcessPool.", "", StringComparison.Ordinal);
}
