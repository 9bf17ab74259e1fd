using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators;

/// <summary>The types that mean something in a contract. Told by name, since a compilation may lack any of them.</summary>
internal static class Known
{
    public static bool IsTask(ITypeSymbol type) => Is(type, "System.Threading.Tasks", "Task", 0);

    public static bool IsTaskOf(ITypeSymbol type) => Is(type, "System.Threading.Tasks", "Task", 1);

    public static bool IsValueTask(ITypeSymbol type) => Is(type, "System.Threading.Tasks", "ValueTask", 0);

    public static bool IsValueTaskOf(ITypeSymbol type) => Is(type, "System.Threading.Tasks", "ValueTask", 1);

    public static bool IsStream(ITypeSymbol type) => Is(type, "System.Collections.Generic", "IAsyncEnumerable", 1);

    public static bool IsProgress(ITypeSymbol type) => Is(type, "System", "IProgress", 1);

    public static bool IsToken(ITypeSymbol type) => Is(type, "System.Threading", "CancellationToken", 0);

    public static bool IsContext(ITypeSymbol type) => Is(type, "ProcessPool", "IPluginContext", 0);

    public static bool IsSpan(ITypeSymbol type) => Is(type, "System", "Span", 1) || Is(type, "System", "ReadOnlySpan", 1);

    public static bool IsPool(ITypeSymbol? type) => type is not null && Is(type, "ProcessPool", "SandboxPool", 0);

    public static bool IsEntryPoint(ITypeSymbol attribute) => Is(attribute, "ProcessPool", "EntryPointAttribute", 0);

    public static bool IsFramework(ITypeSymbol type)
    {
        var name = type.ContainingNamespace?.ToDisplayString() ?? "";
        return name is "System" || name.StartsWith("System.", StringComparison.Ordinal);
    }

    private static bool Is(ITypeSymbol type, string containing, string name, int arity) =>
        type is INamedTypeSymbol { ContainingType: null } named && named.Arity == arity && named.Name == name
        && named.ContainingNamespace.ToDisplayString() == containing;
}
