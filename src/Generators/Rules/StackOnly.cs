using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>Types whose values cannot leave the stack or the process, so that no list of arguments can hold them.</summary>
internal static class StackOnly
{
    public static bool Is(ITypeSymbol type) => type switch
    {
        IPointerTypeSymbol or IFunctionPointerTypeSymbol => true,
        IArrayTypeSymbol array => Is(array.ElementType),
        INamedTypeSymbol named => named.IsRefLikeType || named.TypeArguments.Any(Is),
        _ => type.IsRefLikeType,
    };

    /// <summary>What to pass instead, as written in C#.</summary>
    public static string Instead(ITypeSymbol type) => type switch
    {
        IPointerTypeSymbol { PointedAtType: { SpecialType: not (SpecialType.None or SpecialType.System_Void) } item } => Text.Of(item) + "[]",
        INamedTypeSymbol named when Known.IsSpan(named) => Text.Of(named.TypeArguments[0]) + "[]",
        _ => "byte[]",
    };
}
