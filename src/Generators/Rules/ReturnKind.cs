using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>How a method of a contract gives back what the plugin answers.</summary>
internal enum ReturnKind
{
    /// <summary>Not at all: it would have to block.</summary>
    None,
    Task,
    TaskOf,
    ValueTask,
    ValueTaskOf,
    Stream,
}

/// <summary>Tells how a method returns.</summary>
internal static class ReturnKinds
{
    public static ReturnKind Of(IMethodSymbol method) => method.ReturnType switch
    {
        _ when method.RefKind != RefKind.None => ReturnKind.None,
        var type when Known.IsTask(type) => ReturnKind.Task,
        var type when Known.IsTaskOf(type) => ReturnKind.TaskOf,
        var type when Known.IsValueTask(type) => ReturnKind.ValueTask,
        var type when Known.IsValueTaskOf(type) => ReturnKind.ValueTaskOf,
        var type when Known.IsStream(type) => ReturnKind.Stream,
        _ => ReturnKind.None,
    };

    /// <summary>The type of what comes back, or of each item; null where nothing does.</summary>
    public static ITypeSymbol? ResultOf(IMethodSymbol method) =>
        Of(method) is ReturnKind.TaskOf or ReturnKind.ValueTaskOf or ReturnKind.Stream ? ((INamedTypeSymbol)method.ReturnType).TypeArguments[0] : null;
}
