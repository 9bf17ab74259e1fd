using System.Reflection;
using ProcessPool.Binding;
using ProcessPool.Binding.Contracts;
using ProcessPool.Plugins;

namespace ProcessPool;

/// <summary>Something callable in a plugin.</summary>
/// <param name="Name">The name to call it by.</param>
/// <param name="Parameters">Its parameters, without those that the sandbox supplies.</param>
/// <param name="ReturnType">The type of its result in C# notation, a task's result type for an asynchronous one.</param>
public sealed record EntryPointInfo(string Name, IReadOnlyList<EntryPointParameter> Parameters, string ReturnType)
{
    /// <summary>The full name of the contract interface that it is a method of; null for a function.</summary>
    public string? Contract { get; init; }

    /// <summary>The summary of its documentation comment, on one line; null when the plugin has no XML file with one. Read from the file when a summary is asked for first.</summary>
    public string? Summary => Documentation is var (comments, type, method) ? comments.Of(type, method) : null;

    /// <summary>Where its documentation comment is looked up.</summary>
    internal (DocComments Comments, string Type, string Method)? Documentation { get; init; }

    /// <summary>Whether it takes a token, and so can be asked to end.</summary>
    internal bool AcceptsCancellation { get; init; }

    /// <summary>Whether its result is a stream of items.</summary>
    internal bool Streams { get; init; }

    /// <summary>Whether it declares that it may be executed more than once.</summary>
    internal bool IsIdempotent { get; init; }

    /// <summary>Of a method in this process.</summary>
    internal static EntryPointInfo Of(string name, MethodInfo method)
    {
        var parameters = method.GetParameters();
        var (value, streams) = ContractRules.Result(method.ReturnType) ?? (method.ReturnType == typeof(void) ? null : method.ReturnType, false);
        return new EntryPointInfo(
            name,
            [.. parameters.Where(parameter => !ArgumentBinder.IsSupplied(parameter.ParameterType))
                .Select(parameter => new EntryPointParameter(parameter.Name ?? "", TypeNames.Of(parameter.ParameterType), parameter.IsOptional))],
            streams ? TypeNames.Of(method.ReturnType) : value is null ? "void" : TypeNames.Of(value))
        {
            AcceptsCancellation = parameters.Any(parameter => parameter.ParameterType == typeof(CancellationToken)),
            Streams = streams,
            IsIdempotent = method.GetCustomAttributes().Any(attribute => attribute is IdempotentAttribute),
        };
    }

    /// <summary>The signature in C# notation.</summary>
    public override string ToString() => $"{Name}({string.Join(", ", Parameters)}) → {ReturnType}";
}

/// <summary>A parameter of an entry point.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type in C# notation.</param>
/// <param name="IsOptional">Whether it has a default.</param>
public sealed record EntryPointParameter(string Name, string Type, bool IsOptional)
{
    /// <summary>The parameter in C# notation; optional ones in brackets.</summary>
    public override string ToString() => IsOptional ? $"[{Type} {Name}]" : $"{Type} {Name}";
}
