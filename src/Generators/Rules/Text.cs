using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>Symbols as their author wrote them, for messages.</summary>
internal static class Text
{
    private static readonly SymbolDisplayFormat Types = SymbolDisplayFormat.MinimallyQualifiedFormat
        .AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier | SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers);

    private static readonly SymbolDisplayFormat Parameters =
        Types.WithParameterOptions(SymbolDisplayParameterOptions.IncludeType | SymbolDisplayParameterOptions.IncludeName | SymbolDisplayParameterOptions.IncludeDefaultValue);

    public static string Of(ITypeSymbol type) => type.ToDisplayString(Types);

    public static string Of(IParameterSymbol parameter) => parameter.ToDisplayString(Parameters);

    /// <summary>A member with its interface, such as <c>IThumbs.Count</c>.</summary>
    public static string NameOf(ISymbol member) =>
        $"{Of(member.ContainingType)}.{(member is IPropertySymbol { IsIndexer: true } ? "this[]" : member.Name)}";

    public static string Pascal(string name) => name.Length == 0 ? name : char.ToUpperInvariant(name[0]) + name.Substring(1);
}
