using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>Says a fault to the author of the contract: what it is, why, and what to write instead.</summary>
internal static class FaultMessage
{
    public static Diagnostic For(ContractFault fault, ITypeSymbol contract, Location location, Compilation compilation) =>
        Diagnostic.Create(fault.Rule, location, Subject(fault), fault.Detail, Advice(fault, contract, compilation));

    private static string Subject(ContractFault fault) => fault.Member switch
    {
        ITypeSymbol type => Text.Of(type),
        IMethodSymbol method when fault.Rule == Descriptors.Overload => $"{Text.NameOf(method)}({string.Join(", ", method.Parameters.Select(parameter => Text.Of(parameter.Type)))})",
        var member => Text.NameOf(member),
    };

    private static string Advice(ContractFault fault, ITypeSymbol contract, Compilation compilation) => fault.Member switch
    {
        ITypeSymbol type => $"declare an interface with what is to be called, such as 'interface I{Text.Pascal(type.Name.Length > 0 ? type.Name : "Work")}', and ask for that",
        _ when Known.IsFramework(contract) => $"ask for an interface of your own instead of {Text.Of(contract)}",
        { ContainingType: var declaring } when Known.IsFramework(declaring) => $"leave {Text.Of(declaring)} out of the base interfaces of {Text.Of(contract)}",
        IMethodSymbol method when fault.Rule == Descriptors.Overload => $"declare '{Repair.OfOverload(method)}'",
        var member => $"declare '{Repair.Of(member, compilation)}'",
    };
}
