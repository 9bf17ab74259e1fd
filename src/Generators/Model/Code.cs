using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ProcessPool.Generators.Model;

/// <summary>Symbols as C# that means the same in every file.</summary>
internal static class Code
{
    private static readonly SymbolDisplayFormat Types =
        SymbolDisplayFormat.FullyQualifiedFormat.AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    public static string Of(ITypeSymbol type) => type.ToDisplayString(Types);

    public static string OfTypeOf(ITypeSymbol type) => type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);

    public static string Name(string name) =>
        SyntaxFacts.GetKeywordKind(name) == SyntaxKind.None && SyntaxFacts.GetContextualKeywordKind(name) == SyntaxKind.None ? name : "@" + name;

    public static string Literal(string text) => SymbolDisplay.FormatLiteral(text, quote: true);

    /// <summary>An identifier that resembles a type as it was written, short enough for a file's name.</summary>
    public static string Identifier(ITypeSymbol type)
    {
        const int Longest = 80;
        var written = OfTypeOf(type).Replace("global::", "").Select(character => SyntaxFacts.IsIdentifierPartCharacter(character) ? character : '_').ToArray();
        var identifier = new string(written).TrimEnd('_');
        return identifier.Length <= Longest ? identifier : identifier.Substring(0, Longest);
    }
}
