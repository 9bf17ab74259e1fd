using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Model;

/// <summary>Whether a generated file can say a type at all. Where it cannot, the proxy is made at run time.</summary>
internal static class Reach
{
    public static bool Includes(ITypeSymbol type, Compilation compilation) => type switch
    {
        IArrayTypeSymbol array => Includes(array.ElementType, compilation),
        INamedTypeSymbol named => IncludesNamed(named, compilation),
        _ => false,
    };

    private static bool IncludesNamed(INamedTypeSymbol type, Compilation compilation) =>
        type is { TypeKind: not TypeKind.Error, IsFileLocal: false }
        && compilation.IsSymbolAccessibleWithin(type, compilation.Assembly)
        && IsGlobal(type.ContainingAssembly, compilation)
        && type.TypeArguments.All(argument => Includes(argument, compilation))
        && (type.ContainingType is null || IncludesNamed(type.ContainingType, compilation));

    // An assembly that was referenced by an extern alias only has no names below global::.
    private static bool IsGlobal(IAssemblySymbol assembly, Compilation compilation) =>
        compilation.GetMetadataReference(assembly)?.Properties.Aliases is not { IsDefaultOrEmpty: false } aliases || aliases.Contains(MetadataReferenceProperties.GlobalAlias);
}
