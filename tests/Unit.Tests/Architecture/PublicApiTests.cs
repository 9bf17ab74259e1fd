using System.Reflection;
using ProcessPool.TestKit;
using PublicApiGenerator;

namespace ProcessPool.Unit.Tests.Architecture;

/// <summary>The public surface is a checked-in listing: a change of it is a change somebody sees.</summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData("Abstractions", typeof(EntryPointAttribute), 70)]
    [InlineData("Confinement", typeof(ConfinementPolicy), 120)]
    [InlineData("Host", typeof(SandboxPool), 480)]
    [InlineData("Hosting", typeof(SandboxPoolBuilder), 60)]
    [InlineData("Testing", typeof(ProcessPool.Testing.TestPool), 40)]
    [InlineData("Plugin", typeof(PluginStartup), 20)]
    public void The_listing_is_up_to_date_and_small(string project, Type type, int maxLines)
    {
        var path = Path.Combine(Repository.Root, "src", project, "PublicApi.txt");
        var actual = type.Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n") + "\n";
        var expected = File.Exists(path) ? File.ReadAllText(path) : "";
        if (actual != expected)
        {
            File.WriteAllText(path + ".new", actual);
        }

        Assert.True(actual == expected, $"Expected the public API of {project} to be as listed. If the change is meant, replace {path} by {path}.new.");
        Assert.InRange(actual.Split('\n').Length, 1, maxLines);
    }

    [Fact]
    public void Types_of_the_library_that_are_not_public_are_sealed()
    {
        var open = typeof(SandboxPool).Assembly.GetTypes()
            .Where(type => type is { IsClass: true, IsSealed: false, IsAbstract: false, IsPublic: false, IsNested: false } && type.Namespace?.StartsWith("ProcessPool", StringComparison.Ordinal) == true)
            .Select(type => type.FullName);
        Assert.Empty(open);
    }

    [Fact]
    public void Files_stay_small()
    {
        var lengths = Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .ToDictionary(file => file, file => File.ReadAllLines(file).Length);
        Assert.All(lengths, file => Assert.True(file.Value <= 400, $"Expected at most 400 lines in {file.Key}, it has {file.Value}."));
        Assert.InRange(lengths.Values.Order().ElementAt(lengths.Count / 2), 1, 60);
    }
}
