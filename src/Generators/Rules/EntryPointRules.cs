using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>Finds what makes the loader refuse an entry point, the first fault of each.</summary>
internal static class EntryPointRules
{
    private const string Abstractions = "ProcessPool.Abstractions";

    /// <summary>What is wrong with a marked method or class, and what to write instead; null when it can be called.</summary>
    public static (string Fault, string Advice)? Check(ISymbol marked) => marked switch
    {
        IMethodSymbol method => Check(method),
        INamedTypeSymbol type => Check(type),
        _ => null,
    };

    private static (string Fault, string Advice)? Check(IMethodSymbol method)
    {
        var reference = method.Parameters.FirstOrDefault(parameter => parameter.RefKind != RefKind.None);
        var stack = method.Parameters.FirstOrDefault(parameter => StackOnly.Is(parameter.Type));
        return method switch
        {
            { DeclaredAccessibility: not Accessibility.Public } or { IsStatic: false } => ("it is not public and static", "declare it 'public static', or mark its class and let that implement a contract interface"),
            { IsGenericMethod: true } => ("it is generic", "make an entry point for each type"),
            _ when IsGeneric(method.ContainingType) => ("its class is generic", "move it to a class that is not"),
            _ when reference is not null => ($"it takes '{reference.Name}' by reference, and it would get a copy", "take a value, and return what comes back"),
            _ when stack is not null => ($"it takes '{stack.Name}', which cannot leave a process's memory", $"take '{StackOnly.Instead(stack.Type)} {stack.Name}'"),
            _ => null,
        };
    }

    private static (string Fault, string Advice)? Check(INamedTypeSymbol type) => type switch
    {
        { IsStatic: true } => ("it is static, and nothing can be made of it", "mark its methods instead"),
        { IsAbstract: true } => ("it is abstract, and nothing can be made of it", "mark the class that is derived from it"),
        _ when IsGeneric(type) => ("it is generic", "mark a class that is not and is derived from it"),
        _ when !type.AllInterfaces.Any(IsContract) => ("it implements no contract interface", "implement an interface that has the methods to be called, or mark public static methods"),
        _ => null,
    };

    private static bool IsGeneric(INamedTypeSymbol? type) => type is not null && (type.Arity > 0 || IsGeneric(type.ContainingType));

    private static bool IsContract(INamedTypeSymbol type) =>
        !Known.IsFramework(type) && type.ContainingAssembly?.Name != Abstractions && type.GetMembers().OfType<IMethodSymbol>().Any(method => !method.IsStatic);
}
