using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>The line to write instead of a member that a contract cannot say. It breaks no other rule either.</summary>
internal static class Repair
{
    public static string Of(ISymbol member, Compilation compilation) => member switch
    {
        IMethodSymbol { IsGenericMethod: true } generic => Of(Closed(generic, compilation), generic.Name + string.Concat(Arguments(generic, compilation).Select(type => type.Name))),
        IMethodSymbol method => Of(method, method.Name),
        IPropertySymbol property => Of(property),
        IEventSymbol raised => Of(raised),
        _ => member.Name,
    };

    /// <summary>Another name for an overload: after what it takes.</summary>
    public static string OfOverload(IMethodSymbol method)
    {
        var last = Passed(method).LastOrDefault();
        return Of(method, last is null ? method.Name + "Default" : $"{method.Name}By{Text.Pascal(last.Name)}");
    }

    private static string Of(IMethodSymbol method, string name) => $"{Returned(method)} {name}({string.Join(", ", Passed(method).Concat(Tokens(method)).Select(Parameter))})";

    private static string Of(IPropertySymbol property)
    {
        var name = property.IsIndexer ? "Item" : property.Name;
        var index = property.Parameters.Select(Text.Of);
        return property.IsWriteOnly
            ? $"Task Set{name}Async({string.Join(", ", index.Append($"{Text.Of(property.Type)} value"))})"
            : $"Task<{Result(property.Type)}> Get{name}Async({string.Join(", ", index)})";
    }

    private static string Of(IEventSymbol raised)
    {
        var carried = (raised.Type as INamedTypeSymbol)?.DelegateInvokeMethod?.Parameters.LastOrDefault();
        return carried is null
            ? $"Task {raised.Name}(CancellationToken cancellationToken)"
            : $"IAsyncEnumerable<{Result(carried.Type)}> {raised.Name}(CancellationToken cancellationToken)";
    }

    // What came back by ref or out comes back in the result.
    private static string Returned(IMethodSymbol method)
    {
        var kind = ReturnKinds.Of(method);
        var written = method.Parameters.Where(parameter => parameter.RefKind is RefKind.Ref or RefKind.Out).ToList();
        if (kind == ReturnKind.Stream || kind != ReturnKind.None && written.Count == 0)
        {
            return Text.Of(method.ReturnType);
        }

        var result = kind == ReturnKind.None && !method.ReturnsVoid ? method.ReturnType : ReturnKinds.ResultOf(method);
        var all = written.Select(parameter => (Type: Result(parameter.Type), parameter.Name)).ToList();
        if (result is not null)
        {
            all.Insert(0, (Result(result), "result"));
        }

        return all.Count switch
        {
            0 => "Task",
            1 => $"Task<{all[0].Type}>",
            _ => $"Task<({string.Join(", ", all.Select(one => $"{one.Type} {one.Name}"))})>",
        };
    }

    private static IEnumerable<IParameterSymbol> Passed(IMethodSymbol method) =>
        method.Parameters.Where(parameter => parameter.RefKind != RefKind.Out && !Known.IsToken(parameter.Type));

    private static IEnumerable<IParameterSymbol> Tokens(IMethodSymbol method) => method.Parameters.Where(parameter => Known.IsToken(parameter.Type)).Take(1);

    private static string Parameter(IParameterSymbol parameter) => StackOnly.Is(parameter.Type) ? $"{StackOnly.Instead(parameter.Type)} {parameter.Name}" : Text.Of(parameter);

    private static string Result(ITypeSymbol type) => StackOnly.Is(type) ? StackOnly.Instead(type) : Text.Of(type);

    private static IMethodSymbol Closed(IMethodSymbol method, Compilation compilation) => method.Construct([.. Arguments(method, compilation)]);

    private static IEnumerable<ITypeSymbol> Arguments(IMethodSymbol method, Compilation compilation) => method.TypeParameters.Select(parameter =>
        compilation.GetSpecialType(parameter.HasReferenceTypeConstraint ? SpecialType.System_String : SpecialType.System_Int32));
}
