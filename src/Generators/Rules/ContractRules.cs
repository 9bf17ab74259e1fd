using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>Finds what a contract cannot say: one fault for each member, the one that is to be mended first.</summary>
internal static class ContractRules
{
    public static IEnumerable<ContractFault> Check(ITypeSymbol contract) =>
        contract is INamedTypeSymbol { TypeKind: TypeKind.Interface } type
            ? ContractMembers.Of(type).Select(Check).OfType<ContractFault>()
            : [new ContractFault(Descriptors.NotInterface, contract)];

    private static ContractFault? Check(ISymbol member) => member switch
    {
        IPropertySymbol => new ContractFault(Descriptors.Property, member.OriginalDefinition),
        IEventSymbol => new ContractFault(Descriptors.Event, member.OriginalDefinition),
        _ => Check((IMethodSymbol)member),
    };

    // The type arguments of a contract decide whether it is valid; what is said is said of the line as it was written.
    private static ContractFault? Check(IMethodSymbol method)
    {
        var written = method.OriginalDefinition;
        var reference = method.Parameters.FirstOrDefault(parameter => parameter.RefKind != RefKind.None);
        var stack = method.Parameters.FirstOrDefault(parameter => StackOnly.Is(parameter.Type));
        return method switch
        {
            { DeclaredAccessibility: not Accessibility.Public } => new(Descriptors.NotPublic, written, method.DeclaredAccessibility == Accessibility.Internal ? "internal" : "protected"),
            { IsGenericMethod: true } => new(Descriptors.Generic, written),
            _ when ReturnKinds.Of(method) == ReturnKind.None => new(Descriptors.NotAsynchronous, written, Text.Of(written.ReturnType)),
            _ when reference is not null => new(Descriptors.ByReference, written, reference.Name),
            _ when stack is not null => new(Descriptors.StackOnly, written, stack.Name),
            _ when method.Parameters.Count(parameter => Known.IsToken(parameter.Type)) > 1 => new(Descriptors.Tokens, written),
            _ when ContractMembers.IsOverload(method) => new(Descriptors.Overload, written),
            _ => null,
        };
    }
}
