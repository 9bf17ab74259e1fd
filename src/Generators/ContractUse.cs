using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ProcessPool.Generators;

/// <summary>Where host code asks a pool for a contract. Generator and analyzer look in the same places.</summary>
internal static class ContractUse
{
    /// <summary>Whether a node may be one. Asked of every node after every keystroke, so it looks at text only.</summary>
    public static bool MayBe(SyntaxNode node) =>
        node is GenericNameSyntax { Identifier.ValueText: "GetProxy" or "LeaseAsync", TypeArgumentList.Arguments.Count: 1 };

    /// <summary>What was asked for, or null where the node means something else or the type is not known yet.</summary>
    public static ITypeSymbol? Find(SyntaxNode node, SemanticModel model, CancellationToken cancellationToken) =>
        model.GetSymbolInfo(node, cancellationToken).Symbol is IMethodSymbol { TypeArguments.Length: 1 } method && Known.IsPool(method.ContainingType)
        && method.TypeArguments[0] is not (ITypeParameterSymbol or IErrorTypeSymbol)
            ? method.TypeArguments[0]
            : null;
}
