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
    public static ITypeSymbol? Find(SyntaxNode node, SemanticModel model, CancellationToken cancellationToken)
    {
        var info = model.GetSymbolInfo(node, cancellationToken);
        var contract = (info.Symbol ?? info.CandidateSymbols.FirstOrDefault()) switch
        {
            IMethodSymbol { TypeArguments.Length: 1 } method => Known.IsPool(method.ContainingType) ? method.TypeArguments[0] : null,
            null when IsOfUnknown(node, model, cancellationToken) && Argument(node, model, cancellationToken) is { TypeKind: TypeKind.Interface } type => type,
            _ => null,
        };
        return contract is ITypeParameterSymbol or IErrorTypeSymbol ? null : contract;
    }

    // What other generators write (a JSON context) is not there yet. Where it is an argument of StartAsync, 'var pool' has no type for us.
    private static bool IsOfUnknown(SyntaxNode node, SemanticModel model, CancellationToken cancellationToken) => node.Parent switch
    {
        MemberAccessExpressionSyntax access => model.GetTypeInfo(access.Expression, cancellationToken).Type is null or IErrorTypeSymbol,
        MemberBindingExpressionSyntax { Parent.Parent: ConditionalAccessExpressionSyntax access } => model.GetTypeInfo(access.Expression, cancellationToken).Type is null or IErrorTypeSymbol,
        _ => false,
    };

    private static ITypeSymbol? Argument(SyntaxNode node, SemanticModel model, CancellationToken cancellationToken) =>
        model.GetTypeInfo(((GenericNameSyntax)node).TypeArgumentList.Arguments[0], cancellationToken).Type;
}
