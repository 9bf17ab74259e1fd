using System.Reflection;
using Microsoft.CodeAnalysis;
using ProcessPool.Generators;
using ProcessPool.Generators.Model;

namespace ProcessPool.Unit.Tests.Generators;

/// <summary>An editor runs the generator after every keystroke; only what changes a contract may cost anything.</summary>
public sealed class IncrementalTests
{
    private const string Contract = "public interface IThumbs { Task<long> CreateAsync(string path, CancellationToken token); }";
    private const string Host = "public static class Host { public static void Use(SandboxPool pool) => pool.GetProxy<IThumbs>(); }";

    [Theory]
    [InlineData("public static class Unrelated { public static int Value => 1; }", "public static class Unrelated { public static int Value => 2; }")]
    [InlineData(Host, "// A comment.\n" + Host)]
    [InlineData(Host, "public static class Host { public static IThumbs Use(SandboxPool pool) { return pool.GetProxy<IThumbs>(null); } }")]
    [InlineData(Host, "public static class Host { public static void Use(SandboxPool pool) { _ = pool.GetProxy<IThumbs>(); _ = pool.LeaseAsync<IThumbs>(); } }")]
    [InlineData(Contract, "/// <summary>Pictures.</summary>\n" + Contract)]
    [InlineData(Contract, "public interface IThumbs { Task<long> CreateAsync(string path, CancellationToken token); static int Helper() => 1; }")]
    public void An_edit_that_does_not_change_a_contract_generates_nothing(string from, string to)
    {
        var files = Reasons(from, to).Files;
        Assert.All(files, reason => Assert.Contains(reason, new[] { IncrementalStepRunReason.Cached, IncrementalStepRunReason.Unchanged }));
        Assert.NotEmpty(files);
        Assert.Equal([IncrementalStepRunReason.Cached], Reasons(from, to).Output);
    }

    [Fact]
    public void An_edit_of_a_contract_generates_its_proxy_again()
    {
        var (files, output) = Reasons(Contract, Contract.Replace("string path", "string path, int width", StringComparison.Ordinal));
        Assert.Equal([IncrementalStepRunReason.Modified], files);
        Assert.Equal([IncrementalStepRunReason.Modified], output);
    }

    [Fact]
    public void A_contract_that_comes_to_break_a_rule_loses_its_proxy()
    {
        var (files, _) = Reasons(Contract, "public interface IThumbs { long Create(string path); }");
        Assert.Equal([IncrementalStepRunReason.Removed], files);
    }

    [Fact]
    public void What_the_generator_remembers_is_text_that_keeps_no_compilation_alive()
    {
        var remembered = new[] { typeof(ContractModel), typeof(MethodModel), typeof(ParameterModel) }.SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance));
        Assert.All(remembered, property => Assert.True(
            property.PropertyType == typeof(string) || property.PropertyType.IsEnum || property.PropertyType.GetGenericTypeDefinition() == typeof(EquatableArray<>),
            $"Expected {property} to be text, an enumeration or a list."));
    }

    private static (IncrementalStepRunReason[] Files, IncrementalStepRunReason[] Output) Reasons(string from, string to)
    {
        var before = HostSource.Compile(Contract).AddSyntaxTrees(HostSource.Parse(Host), HostSource.Parse("public static class Unrelated { public static int Value => 1; }"));
        var edited = before.SyntaxTrees.Single(tree => tree.ToString() == from);
        var after = before.ReplaceSyntaxTree(edited, edited.WithChangedText(Microsoft.CodeAnalysis.Text.SourceText.From(to)));
        var result = Assert.Single(HostSource.Driver(before).RunGenerators(before).RunGenerators(after).GetRunResult().Results);
        Assert.Null(result.Exception);
        return (
            [.. result.TrackedSteps[ContractGenerator.Files].SelectMany(step => step.Outputs).Select(output => output.Reason)],
            [.. result.TrackedOutputSteps.SelectMany(steps => steps.Value).SelectMany(step => step.Outputs).Select(output => output.Reason)]);
    }
}
