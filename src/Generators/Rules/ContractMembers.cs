using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>What a contract consists of.</summary>
internal static class ContractMembers
{
    /// <summary>
    /// The members that a proxy answers, the contract's own first, then those of its base interfaces. Those with a body count unless they are
    /// sealed: the plugin's implementation is meant. Static members, constants and nested types are nobody's call.
    /// </summary>
    public static IEnumerable<ISymbol> Of(INamedTypeSymbol contract) =>
        contract.AllInterfaces.Insert(0, contract).SelectMany(type => type.GetMembers()).Where(IsAnswered);

    /// <summary>Whether an earlier method of the same interface has the name: an overload, where each has to have a name of its own.</summary>
    public static bool IsOverload(IMethodSymbol method) =>
        !SymbolEqualityComparer.Default.Equals(method, method.ContainingType.GetMembers(method.Name).OfType<IMethodSymbol>().First(other => !other.IsGenericMethod && IsAnswered(other)));

    private static bool IsAnswered(ISymbol member) => !member.IsStatic && (member.IsAbstract || member.IsVirtual) && member switch
    {
        IMethodSymbol method => method.MethodKind == MethodKind.Ordinary,
        IPropertySymbol property => property.ExplicitInterfaceImplementations.IsEmpty,
        IEventSymbol raised => raised.ExplicitInterfaceImplementations.IsEmpty,
        _ => false,
    };
}
