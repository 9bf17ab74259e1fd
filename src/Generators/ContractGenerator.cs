using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using ProcessPool.Generators.Model;
using ProcessPool.Generators.Writing;

namespace ProcessPool.Generators;

/// <summary>
/// Writes a proxy for every contract that the host asks a pool for, so that calls need neither reflection nor dynamic code. A contract needs no
/// attribute: it may come from an assembly that knows nothing of hosts.
/// </summary>
[Generator(LanguageNames.CSharp)]
internal sealed class ContractGenerator : IIncrementalGenerator
{
    /// <summary>The step that has a contract for every place where one is asked for.</summary>
    public const string Uses = "Uses";

    /// <summary>The step that has every contract once, with the name of its file.</summary>
    public const string Files = "Files";

    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var uses = context.SyntaxProvider.CreateSyntaxProvider(
            static (node, _) => ContractUse.MayBe(node),
            static (use, cancellationToken) => ContractUse.Find(use.Node, use.SemanticModel, cancellationToken) is { } contract
                ? ModelBuilder.Build(contract, use.SemanticModel.Compilation)
                : null)
            .Where(static contract => contract is not null).WithTrackingName(Uses);
        var files = uses.Collect().SelectMany(static (contracts, _) => Name(contracts)).WithTrackingName(Files);

        // Nothing that somebody writes refers to a proxy, so an editor can do without them.
        context.RegisterImplementationSourceOutput(files, static (output, file) =>
            output.AddSource(file.Name, SourceText.From(ProxyWriter.Write(file.Contract), Encoding.UTF8)));
    }

    // Names of files have to differ by more than case. No identifier has a dot, so the number makes a name that nobody else has.
    private static IEnumerable<(string Name, ContractModel Contract)> Name(ImmutableArray<ContractModel?> contracts) =>
        contracts.OfType<ContractModel>().GroupBy(contract => contract.Key).Select(same => same.First())
            .GroupBy(contract => contract.Identifier, StringComparer.OrdinalIgnoreCase)
            .SelectMany(alike => alike.Select((contract, index) => (index == 0 ? $"{contract.Identifier}.g.cs" : $"{contract.Identifier}.{index + 1}.g.cs", contract)));
}
