using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ProcessPool.Generators.Rules;

namespace ProcessPool.Generators.Model;

/// <summary>Turns a contract's symbols into its model.</summary>
internal static class ModelBuilder
{
    /// <summary>The model, or null where no proxy can be generated: the contract breaks a rule, or cannot be said in another file.</summary>
    public static ContractModel? Build(ITypeSymbol contract, Compilation compilation)
    {
        // The generated code is C# 12.
        if (compilation is not CSharpCompilation { LanguageVersion: >= LanguageVersion.CSharp12 } || ContractRules.Check(contract).Any())
        {
            return null;
        }

        var methods = ContractMembers.Of((INamedTypeSymbol)contract).Cast<IMethodSymbol>().ToList();
        var said = methods.SelectMany(method => method.Parameters.Select(parameter => parameter.Type).Append(method.ReturnType).Append(method.ContainingType)).Append(contract);
        return said.All(type => Reach.Includes(type, compilation))
            ? new ContractModel(DocumentationCommentId.CreateReferenceId(contract), Code.Identifier(contract), Code.Of(contract), new EquatableArray<MethodModel>(methods.Select(Build)))
            : null;
    }

    private static MethodModel Build(IMethodSymbol method) => new(
        $"{Code.Of(method.ReturnType)} {Code.Of(method.ContainingType)}.{Code.Name(method.Name)}",
        Code.Literal($"{method.ContainingType.Name}.{method.Name}"),
        ReturnKinds.Of(method),
        ReturnKinds.ResultOf(method) is { } result ? Code.Of(result) : null,
        new EquatableArray<ParameterModel>(method.Parameters.Select(Build)));

    private static ParameterModel Build(IParameterSymbol parameter)
    {
        // Other languages leave names out.
        var isUnique = ((IMethodSymbol)parameter.ContainingSymbol).Parameters.Count(other => other.Name == parameter.Name) == 1;
        return new ParameterModel(
            Code.Of(parameter.Type),
            isUnique ? Code.Name(parameter.Name) : $"{parameter.Name}{parameter.Ordinal}",
            Code.OfTypeOf(parameter.Type),
            RoleOf(parameter.Type));
    }

    private static ParameterRole RoleOf(ITypeSymbol type) => type switch
    {
        _ when Known.IsToken(type) => ParameterRole.Token,
        _ when Known.IsContext(type) => ParameterRole.Context,
        _ when Known.IsStream(type) => ParameterRole.Stream,
        _ when Known.IsProgress(type) => ParameterRole.Progress,
        _ => ParameterRole.Argument,
    };
}
